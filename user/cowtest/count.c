// What sharing costs, to the page.  The counters are the machine's, so everybody
// else must be asleep: parents wait while a child measures, and have written their
// own stack before it begins.
#include "kernel/types.h"
#include "kernel/param.h"
#include "user/cowtest/cowtest.h"

enum { PAGES = 40 };

static char *written_pages(void) {
  char *base = sbrk(PAGES * PGSIZE);
  CHECK(base != SBRK_ERROR, "sbrk failed");
  for (int i = 0; i < PAGES; i++) base[i * PGSIZE] = i;
  return base;
}

static void write_pages(char *base, int from, int to) {
  for (int i = from; i < to; i++) base[i * PGSIZE] = i + 1;
}

// When the others are gone, the pages are taken back as they are.
void sole_owner(void) {
  char *base = written_pages();
  if (must_fork() == 0) exit(0);
  must_wait(0);
  struct memstat before = memstat_now();
  write_pages(base, 0, PAGES);
  CHECK_EQ(GROWTH(before, cow_reuses), PAGES);
  CHECK_EQ(GROWTH(before, cow_copies), 0);
  CHECK_EQ(GROWTH(before, user), 0);

  // Once taken back, a page is written without a fault.
  before = memstat_now();
  write_pages(base, 0, PAGES);
  CHECK_EQ(GROWTH(before, faults), 0);
}

static void write_half(char *base) {
  struct memstat before = memstat_now();
  write_pages(base, 0, PAGES / 2);
  write_pages(base, 0, PAGES / 2);
  CHECK_EQ(GROWTH(before, cow_copies), PAGES / 2);
  CHECK_EQ(GROWTH(before, user), PAGES / 2);
  CHECK_EQ(GROWTH(before, faults), PAGES / 2);
  CHECK_EQ(GROWTH(before, pagetable), 0);
}

// A written page is copied once, and a page only read is not copied at all.
void one_copy_a_page(void) {
  char *base = written_pages();
  struct gate go;
  gate_make(&go);
  if (must_fork() == 0) {
    gate_wait(&go);
    await_quiet(NPROC);  // until the parent waits
    for (int i = 0; i < PAGES; i++) CHECK_EQ(base[i * PGSIZE], i);
    write_half(base);
    exit(0);
  }
  gate_open(&go, 1);
  must_wait(0);

  // The copies are gone: all pages are the parent's alone again.
  struct memstat before = memstat_now();
  write_pages(base, 0, PAGES);
  CHECK_EQ(GROWTH(before, cow_reuses), PAGES);
  CHECK_EQ(GROWTH(before, cow_copies), 0);
}

// A child of a large process costs its page tables and the few pages it writes.
void fork_takes_no_pages(void) {
  enum { LARGE = 2000, FEW = 8 };
  char *base = sbrkeager(LARGE * PGSIZE);
  CHECK(base != SBRK_ERROR, "sbrkeager failed");
  struct gate go;
  gate_make(&go);
  struct memstat before = memstat_now();
  if (must_fork() == 0) {
    gate_wait(&go);
    exit(0);
  }
  uint64 user = GROWTH(before, user);
  gate_open(&go, 1);
  must_wait(0);
  CHECK(user <= FEW, "fork of %d pages took %ld", LARGE, user);
}
