// The tests that copy on write is usually taught with: forks of processes so large
// that only sharing makes them possible, copies into shared pages by the kernel,
// and many forks that come and go together.
#include "user/cowtest/cowtest.h"

// Grows by this part of the free memory, whole pages.
static char *grow_by_part(int numerator, int denominator, long *bytes) {
  *bytes = (long)memstat_now().free * numerator / denominator * PGSIZE;
  char *base = sbrk_by(*bytes);
  CHECK(base != SBRK_ERROR, "sbrk of %ld failed", *bytes);
  return base;
}

// Gives every page in these bytes a value of its own, in the color.
static void paint(char *base, long bytes, long color) {
  for (long at = 0; at < bytes; at += PGSIZE) *(long *)(base + at) = color + at;
}

static void must_show(const char *base, long bytes, long color) {
  for (long at = 0; at < bytes; at += PGSIZE) CHECK_EQ(*(long *)(base + at), color + at);
}

// Two thirds of memory can be forked, since nobody writes.
void simple(void) {
  long bytes;
  char *base = grow_by_part(2, 3, &bytes);
  paint(base, bytes, 1);
  if (must_fork() == 0) {
    must_show(base, bytes, 1);
    exit(0);
  }
  must_wait(0);
  must_show(base, bytes, 1);
}

// Three processes over a quarter of memory, writing all of it, half and most:
// there is no room for a copy that nobody needs, nor for one kept too long.
void three(void) {
  long bytes;
  char *base = grow_by_part(1, 4, &bytes);
  long half = PGROUNDDOWN(bytes / 2), most = PGROUNDDOWN(bytes * 4 / 5);
  paint(base, bytes, 1);
  if (must_fork() == 0) {
    if (must_fork() == 0) {
      paint(base, most, 3);
      must_show(base, most, 3);
      must_show(base + most, bytes - most, 1 + most);
      exit(0);
    }
    paint(base, half, 2);
    must_show(base, half, 2);
    must_show(base + half, bytes - half, 1 + half);
    must_wait(0);
    exit(0);
  }
  paint(base, bytes, 4);
  must_wait(0);
  must_show(base, bytes, 4);
}

// read() into a page that others share must not show there.
void file(void) {
  enum { READERS = 4 };
  static char shared[PGSIZE];
  shared[0] = 'p';
  for (int i = 0; i < READERS; i++) {
    int fds[2];
    CHECK(pipe(fds) == 0, "pipe failed");
    if (must_fork() == 0) {
      sleep(1);
      CHECK_EQ(read(fds[0], shared, 1), 1);
      sleep(1);
      CHECK_EQ(shared[0], '0' + i);
      exit(0);
    }
    char mine = '0' + i;
    CHECK_EQ(write(fds[1], &mine, 1), 1);
    close(fds[0]);
    close(fds[1]);
  }
  for (int i = 0; i < READERS; i++) must_wait(0);
  CHECK_EQ(shared[0], 'p');
}

// A process that makes two more, twice, and writes what all of them share.
static void branch(char *base, long bytes, int levels) {
  must_show(base, bytes, 5);
  for (int i = 0; levels > 0 && i < 2; i++) {
    if (must_fork() != 0) continue;
    branch(base, bytes, levels - 1);
    exit(0);
  }
  paint(base, bytes, getpid());
  for (int i = 0; levels > 0 && i < 2; i++) must_wait(0);
  must_show(base, bytes, getpid());
}

// The counts of the same pages go up and down on all harts at the same time.
void forkfork(void) {
  enum { ROUNDS = 20, PAGES = 64 };
  char *base = sbrk(PAGES * PGSIZE);
  paint(base, PAGES * PGSIZE, 5);
  for (int round = 0; round < ROUNDS; round++) {
    for (int i = 0; i < 3; i++) {
      if (must_fork() != 0) continue;
      branch(base, PAGES * PGSIZE, 2);
      exit(0);
    }
    for (int i = 0; i < 3; i++) must_wait(0);
  }
  must_show(base, PAGES * PGSIZE, 5);
}
