// Pages shared by fork until somebody writes: who sees what, who pays for a copy.
#include "user/usertests/ut.h"

static char static_page[PGSIZE] __attribute__((aligned(PGSIZE)));

// Parent and child each write after the fork, in either order; neither sees the
// other's bytes, in data, stack and heap.  A parent that still writes through an
// old translation is found by the child that looks later.  (Pitfall 6.)
void test_cow_isolation(void) {
  uint64 pages = 64;
  char *heap = page_break();
  volatile int on_stack = 10;
  grow(pages * PGSIZE);
  for (int child_first = 0; child_first < 2; child_first++) {
    int ends[2];
    char byte;
    mark_pages(heap, pages, 1);
    static_page[9] = 10;
    on_stack = 10;
    EXPECT(pipe(ends), ==, 0);
    if (must_fork() == 0) {
      close(ends[1]);
      if (!child_first) EXPECT(read(ends[0], &byte, 1), ==, 0);
      EXPECT(mark_flaw(heap, pages, 1), ==, -1);
      EXPECT(on_stack + static_page[9], ==, 20);
      mark_pages(heap, pages, 2);
      on_stack = static_page[9] = 30;
      EXPECT(mark_flaw(heap, pages, 2), ==, -1);
      exit(0);
    }
    close(ends[0]);
    if (child_first) join_all(1);
    EXPECT(mark_flaw(heap, pages, 1), ==, -1);
    EXPECT(on_stack + static_page[9], ==, 20);
    mark_pages(heap, pages, 3);
    on_stack = static_page[9] = 40;
    close(ends[1]);
    if (!child_first) join_all(1);
    EXPECT(mark_flaw(heap, pages, 3), ==, -1);
    EXPECT(on_stack + static_page[9], ==, 80);
  }
}

// A chain of processes, each forked by the one before from memory that is shared
// already, each writing one page more.  (Pitfall 5.)
#define GENERATIONS  10

static void check_generations(const char *base, int born) {
  for (int i = 0; i < GENERATIONS; i++)
    EXPECT_AT(i, *(const uint64 *)(base + i * PGSIZE), ==, i < born ? stamp(4, i) : 77);
}

void test_cow_generations(void) {
  char *base = page_break();
  grow(GENERATIONS * PGSIZE);
  for (int i = 0; i < GENERATIONS; i++) *(uint64 *)(base + i * PGSIZE) = 77;
  int born = 0, pid = 0;
  while (born < GENERATIONS && (pid = must_fork()) == 0) {
    *(uint64 *)(base + born * PGSIZE) = stamp(4, born);
    born++;
    check_generations(base, born);
  }
  if (pid > 0) EXPECT_AT(born, wait_status(), ==, 0);
  check_generations(base, born);
}

// Many sharers write the same pages at the same instant, with readers among
// them; the parent too.  Twice-freed or lost pages show in the contents, in the
// runner's account, or kill the kernel.  (Pitfalls 1, 2, 3.)
void test_cow_race(void) {
  uint64 pages = 24;
  char *base = page_break();
  grow(pages * PGSIZE);
  for (int round = 0; round < 6; round++) {
    struct start line;
    mark_pages(base, pages, round);
    start_make(&line);
    for (int i = 0; i < 8; i++) {
      if (must_fork() != 0) continue;
      start_wait(&line);
      EXPECT(mark_flaw(base, pages, round), ==, -1);
      if (i % 4 != 3) mark_pages(base, pages, 100 + i);
      EXPECT(mark_flaw(base, pages, i % 4 != 3 ? 100 + i : round), ==, -1);
      exit(0);
    }
    start_now(&line);
    mark_pages(base, pages, 50);
    EXPECT(mark_flaw(base, pages, 50), ==, -1);
    join_all(8);
    EXPECT(mark_flaw(base, pages, 50), ==, -1);
  }
}

// More sharers of a page than eight bits count.  The memory is the parent's when
// they are gone, and was everybody's while they lived.  (Pitfall 4.)
#define SHARERS  300

void test_cow_sharers(void) {
  static int pids[SHARERS];
  struct start line;
  char *base = page_break();
  uint made = 0;
  grow(2 * PGSIZE);
  mark_pages(base, 2, 5);
  start_make(&line);
  for (; made < SHARERS && memstat_now().free > 200 + 2 * made; made++) {
    if ((pids[made] = must_fork()) != 0) continue;
    start_wait(&line);
    EXPECT(mark_flaw(base, 2, 5), ==, -1);
    if (made % 2) mark_pages(base, 2, made);
    EXPECT(mark_flaw(base, 2, made % 2 ? made : 5), ==, -1);
    exit(0);
  }
  EXPECT(made, >=, 257);
  start_now(&line);
  join_all(made);
  EXPECT(mark_flaw(base, 2, 5), ==, -1);
  struct memstat before = memstat_now();
  mark_pages(base, 2, 6);
  EXPECT(memstat_now().cow_copies, ==, before.cow_copies);
}

// Sharing gives nobody rights that the region does not have.  (Pitfall 9.)
void test_cow_text(void) {
  uint64 code = (uint64)test_cow_text;
  uint64 word = *(uint64 *)PGROUNDDOWN(code);
  int ends[2];
  EXPECT(pipe(ends), ==, 0);
  EXPECT(write(ends[1], "junkjunk", 8), ==, 8);
  EXPECT(STORE_STATUS(code), ==, KILLED);
  if (must_fork() == 0) {
    EXPECT(STORE_STATUS(code), ==, KILLED);  // by a grandchild
    EXPECT(read(ends[0], (void *)PGROUNDDOWN(code), 8), ==, -1);
    *(volatile char *)code = 1;
    exit(0);
  }
  EXPECT(wait_status(), ==, KILLED);
  EXPECT(STORE_STATUS(code), ==, KILLED);  // the last owner is alone now
  EXPECT(*(uint64 *)PGROUNDDOWN(code), ==, word);
}

// --- What the kernel writes ---

// Every call that stores into memory, aimed at a shared page.
static void kernel_write(int call, char *at) {
  int ends[2], fd;
  switch (call) {
    case 0:
      fd = must_open("source", O_RDONLY);
      EXPECT(read(fd, at, 64), ==, 64);
      close(fd);
      return;
    case 1:
      EXPECT(pipe(ends), ==, 0);
      EXPECT(write(ends[1], "from a pipe", 11), ==, 11);
      EXPECT(read(ends[0], at, 64), ==, 11);
      close(ends[0]);
      close(ends[1]);
      return;
    case 2: EXPECT(fstat(0, (struct stat *)at), ==, 0); return;
    case 3:
      EXPECT(pipe((int *)at), ==, 0);
      close(((int *)at)[0]);
      close(((int *)at)[1]);
      return;
    case 4:
      if (must_fork() == 0) exit(0x12345678);
      EXPECT(wait((int *)at), >, 0);
      return;
    default: EXPECT(memstat((struct memstat *)at), ==, 0);
  }
}

// The writer's sharer keeps its bytes; the writer has the new ones and, around
// them, the old.  From the child's side and from the parent's.  (Pitfall 10.)
void test_cow_kernel_writes(void) {
  char *base = page_break();
  grow(PGSIZE);
  file_make("source", 64, 6);
  for (int call = 0; call < 6; call++)
    for (int by_child = 0; by_child < 2; by_child++) {
      struct start line;
      paint(base, PGSIZE, 7);
      start_make(&line);
      int pid = must_fork();
      if (pid == 0) start_wait(&line);
      if ((pid == 0) == by_child) {
        kernel_write(call, base + 1024);
        EXPECT_AT(call, paint_flaw(base, PGSIZE, 7), ==, 1024);
        for (int i = 256; i < PGSIZE / 8; i++)
          EXPECT_AT(call, ((uint64 *)base)[i], ==, stamp(7, i));
      }
      if (pid != 0) {
        start_now(&line);
        EXPECT_AT(call, wait_status(), ==, 0);
      }
      if ((pid == 0) != by_child) EXPECT_AT(call, paint_flaw(base, PGSIZE, 7), ==, -1);
      if (pid == 0) exit(0);
    }
}

// --- Counted ---

// n shared pages written: n copies.  Written once the sharer is gone: none.
void test_cow_sole_owner(void) {
  uint64 pages = 40;
  char *base = page_break();
  grow(pages * PGSIZE);
  mark_pages(base, pages, 8);
  EXPECT(child_status(load_at, base), ==, 0);
  struct memstat before = memstat_now();
  mark_pages(base, pages, 9);
  struct memstat after = memstat_now();
  EXPECT(after.cow_copies, ==, before.cow_copies);
  EXPECT(after.cow_reuses, >, before.cow_reuses);
  EXPECT(after.user, ==, before.user);

  struct start line;
  start_make(&line);
  if (must_fork() == 0) {
    start_wait(&line);
    exit(mark_flaw(base, pages, 9) != -1);
  }
  own_pages((void *)stack_page(), PGSIZE);
  await_quiet(NPROC);  // the child waits, with a stack of its own
  before = memstat_now();
  mark_pages(base, pages, 10);
  after = memstat_now();
  EXPECT(after.user - before.user, ==, pages);
  EXPECT(after.cow_copies - before.cow_copies, ==, pages);
  start_now(&line);
  join_all(1);
}

// Trees of forks that write while others fork and exit; every mark is checked in
// every process.
static void storm(char *base, uint64 pages, uint64 owner, int depth) {
  for (int i = 0; i < 3; i++) {
    EXPECT(mark_flaw(base, pages, owner), ==, -1);
    int pid = must_fork();
    if (pid == 0) {
      mark_pages(base, pages, owner * 3 + i);
      if (depth > 0) storm(base, pages, owner * 3 + i, depth - 1);
      EXPECT(mark_flaw(base, pages, owner * 3 + i), ==, -1);
      exit(0);
    }
    uint64 next = owner + 1000 * (i + 1);
    mark_pages(base, pages, next);
    EXPECT(mark_flaw(base, pages, next), ==, -1);
    mark_pages(base, pages, owner);
  }
  join_all(3);
}

void test_cow_fork_storm(void) {
  char *base = page_break();
  grow(16 * PGSIZE);
  for (int round = 0; round < 2; round++) {
    mark_pages(base, 16, 1);
    storm(base, 16, 1, 3);
  }
}
