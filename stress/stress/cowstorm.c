// cowstorm: trees of processes, six generations deep, that write the same pages
// apart at every level, by their own stores and by the kernel's.
#include "stress/stress/stress.h"

#define PAGES_MOST  256
#define DEEPEST     6   // generations below the worker
#define BRANCH      24  // frames that a process of the tree takes beside its pages

static struct {
  uint64 owner;
  uint64 generation;
} last[PAGES_MOST];  // who wrote page i last, as far as this process can see
static uint64 *home;
static uint64 pages;
static int depth;  // of the calling process

// A chain of DEEPEST processes that write half of the pages each must fit; there
// are side branches where there is more.
static void begin_home(void) {
  uint64 spare = me.frames > DEEPEST * BRANCH * 2 ? me.frames - DEEPEST * BRANCH : me.frames / 2;
  pages = spare / (2 * DEEPEST);
  if (pages > PAGES_MOST) pages = PAGES_MOST;
  home = (uint64 *)align_break();
  CHECK(sbrk(pages * PGSIZE) == (char *)home, "no room for a home");
}

static uint64 *page_at(uint64 i) { return home + i * PAGE_WORDS; }

static void check_one(uint64 i) {
  page_check(page_at(i), PAGE_WORDS, last[i].owner, i, last[i].generation);
}

static void write_one(uint64 i) {
  last[i].owner = me.owner;
  page_stamp(page_at(i), PAGE_WORDS, me.owner, i, ++last[i].generation);
}

// The kernel stores into page i what is there already.  With a child, which writes
// something else there at the same time; the caller then has no other one.
static void copy_into(uint64 i, int with_child) {
  uint64 message[16];
  int ends[2];
  if (pipe(ends) < 0) return;
  write_one(i);
  memcpy(message, page_at(i), sizeof(message));
  int pid = with_child ? descend() : -1;
  if (pid == 0) {
    memset(page_at(i), 0x11, sizeof(message));
    exit(0);
  }
  int sent = write(ends[1], message, sizeof(message));
  CHECK(sent == sizeof(message), "a pipe took %d bytes", sent);
  int got = read(ends[0], page_at(i), sizeof(message));
  CHECK(got == sizeof(message) || memory_is_short(), "a pipe gave %d bytes", got);
  close(ends[0]);
  close(ends[1]);
  check_one(i);
  if (pid > 0) child_must_be_well(0);
}

static void some_writes(void) {
  for (uint64 n = below(pages / 2); n > 0; n--) write_one(below(pages));
  if (below(4) == 0) copy_into(below(pages), 0);
}

static void check_all(void) {
  for (uint64 i = 0; i < pages; i++)
    if (last[i].generation) check_one(i);
}

static void grow_tree(void);

// A child, which writes, has children of its own, and sees at its end what it
// should; some are killed before.
static void branch(void) {
  int pid = descend();
  if (pid == 0) {
    depth++;
    if (below(2)) spin(3000);
    some_writes();
    grow_tree();
    check_all();
    exit(0);
  }
  some_writes();
  int kills = pid > 0 && below(8) == 0;
  if (kills) {
    spin(20000);
    CHECK(kill(pid) == 0, "a child that nobody waited for cannot be killed");
  }
  if (pid > 0) child_must_be_well(kills);
  check_all();
}

static void grow_tree(void) {
  if (depth == DEEPEST || below(8) == 0) return;
  branch();
  if (below(4) == 0) branch();
}

void cowstorm_operation(void) {
  if (!home) begin_home();
  if (below(8)) grow_tree();
  else copy_into(below(pages), 1);
}
