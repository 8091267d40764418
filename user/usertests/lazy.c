// Pages that appear at the first touch, by the program or by the kernel on its
// behalf, and processes that find none left.
#include "user/usertests/ut.h"

#define MIB  (1UL << 20)
#define GIB  (1UL << 30)

// A gigabyte with a touch every few megabytes: only the touched pages cost
// memory, each holds its own value and is zero around it.
void test_lazy_alloc(void) {
  uint64 stride = 4 * MIB + PGSIZE, count = GIB / stride;
  char *base = page_break();
  uint64 user = memstat_now().user;
  grow(GIB);
  EXPECT(memstat_now().user, ==, user);
  for (uint64 i = 0; i < count; i++) *(uint64 *)(base + i * stride) = stamp(1, i);
  EXPECT(memstat_now().user, ==, user + count);
  for (uint64 i = 0; i < count; i++) {
    EXPECT_AT(i, *(uint64 *)(base + i * stride), ==, stamp(1, i));
    EXPECT_AT(i, nonzero(base + i * stride + 8, PGSIZE - 8), ==, -1);
  }
}

// Touched and untouched pages given back: a child that was forked before keeps
// them, one that looks afterwards dies.
void test_lazy_unmap(void) {
  uint64 stride = 16 * MIB;
  struct start line;
  char *base = page_break();
  grow(GIB);
  for (uint64 va = 0; va < GIB; va += stride) base[va] = va / stride;
  start_make(&line);
  if (must_fork() == 0) {
    start_wait(&line);
    for (uint64 va = 0; va < GIB; va += stride) EXPECT_AT(va, (uint8)base[va], ==, va / stride);
    exit(0);
  }
  shrink(GIB - stride);
  start_now(&line);
  join_all(1);
  EXPECT(base[0], ==, 0);
  for (uint64 va = stride; va < GIB; va += 9 * stride) {
    EXPECT_AT(va, STORE_STATUS(base + va), ==, KILLED);
    EXPECT_AT(va, LOAD_STATUS(base + va + PGSIZE), ==, KILLED);
  }
}

// Buffers that lie in pages never touched, begin or end inside one, and cross
// into pages that exist: every page of them is found.  (Pitfall 30.)
void test_lazy_copy(void) {
  static const struct {
    int offset, bytes;
  } cases[] = {{0, 8}, {PGSIZE - 3, 6}, {1, PGSIZE}, {PGSIZE - 1, PGSIZE + 2}, {7, 4 * PGSIZE}};
  int fd;
  file_make("data", 5 * PGSIZE, 2);
  for (int i = 0; i < COUNT_OF(cases); i++) {
    int n = cases[i].bytes;
    char *base = page_break(), *at = base + cases[i].offset;
    grow(6 * PGSIZE);
    if (i % 2) base[PGSIZE] = 1;  // one page in the middle exists
    fd = must_open("data", O_RDONLY);
    EXPECT_AT(i, read(fd, at, n), ==, n);
    close(fd);
    for (int k = 0; k < n; k++) EXPECT_AT(k, (uint8)at[k], ==, file_byte(2, k));
    shrink(6 * PGSIZE);

    grow(6 * PGSIZE);
    fd = must_open("zeros", O_CREATE | O_TRUNC | O_RDWR);
    EXPECT_AT(i, write(fd, at, n), ==, n);
    close(fd);
    memset(at, 0xff, n);
    fd = must_open("zeros", O_RDONLY);
    EXPECT_AT(i, read(fd, at, n), ==, n);
    EXPECT_AT(i, nonzero(at, n), ==, -1);
    close(fd);
    shrink(6 * PGSIZE);
  }
}

// A path and a structure that the kernel fills, split between two untouched pages.
void test_lazy_copyinstr(void) {
  char *base = page_break();
  char *border = base + PGSIZE;
  grow(2 * PGSIZE);
  struct stat *st = (struct stat *)(border - 12);
  EXPECT(fstat(1, st), ==, 0);
  shrink(2 * PGSIZE);

  // An untouched page is an empty string, and the NUL of one that ends in the
  // page before it.  (Pitfall 28.)
  grow(2 * PGSIZE);
  EXPECT(open(base, O_RDONLY), ==, -1);
  shrink(2 * PGSIZE);
  grow(2 * PGSIZE);
  border[-1] = '/';
  int fd = must_open(border - 1, O_RDONLY);
  EXPECT(fstat(fd, st), ==, 0);
  EXPECT(st->type, ==, T_DIR);
  EXPECT(st->ino, ==, ROOTINO);
  close(fd);

  strcpy(border - 3, "split");
  file_make("split", 5, 3);
  EXPECT(exists(border - 3), ==, 1);
  EXPECT(unlink(border - 3), ==, 0);
  EXPECT(exists("split"), ==, 0);
}

// The break moves without memory; what cannot be is refused and changes nothing.
void test_lazy_sbrk(void) {
  char *base = page_break();
  struct memstat before = memstat_now();
  for (int i = 1; i <= 200; i++) {
    EXPECT_AT(i, sbrk(0x7fffffff), ==, base);
    EXPECT_AT(i, sbrk(0), ==, base + 0x7fffffff);
    EXPECT_AT(i, sbrk(-0x7fffffff), ==, base + 0x7fffffff);
  }
  struct memstat after = memstat_now();
  EXPECT(after.user, ==, before.user);
  EXPECT(after.pagetable, ==, before.pagetable);
  int eager_pages = 64;
  grow_eager(eager_pages * PGSIZE);
  EXPECT(memstat_now().user, ==, before.user + eager_pages);
  shrink(eager_pages * PGSIZE);
  EXPECT(free_frames(), ==, before.free + before.kept);

  while (sbrk(GIB) != SBRK_ERROR) {
  }
  EXPECT(USERTOP - (uint64)sbrk(0), <, GIB);
  EXPECT(sbrk(GIB), ==, SBRK_ERROR);
  grow(USERTOP - (uint64)sbrk(0));
  EXPECT(sbrk(0), ==, USERTOP);
  EXPECT(sbrk(1), ==, SBRK_ERROR);
}

// A page whose first touch is a read is as writable as any: touched by load and
// by the kernel, then stored to, here and after a fork.  (Pitfall 14.)
void test_read_then_write(void) {
  char *base = page_break();
  int ends[2];
  EXPECT(pipe(ends), ==, 0);
  grow(3 * PGSIZE);
  EXPECT(base[0], ==, 0);
  EXPECT(write(ends[1], base + PGSIZE, 4), ==, 4);
  base[1] = 1;
  base[PGSIZE + 1] = 2;
  EXPECT(base[2 * PGSIZE], ==, 0);
  if (must_fork() == 0) {
    base[2 * PGSIZE] = 3;
    base[1] = 4;
    exit(base[2 * PGSIZE] + base[1] != 7);
  }
  join_all(1);
  EXPECT(read(ends[0], base + 2 * PGSIZE, 4), ==, 4);
  EXPECT(base[1] + base[PGSIZE + 1] + base[2 * PGSIZE], ==, 3);
}

// --- Running out ---

// Eight processes want a quarter of RAM each, at once: some get it, some do not,
// nobody else suffers, and all of it comes back.  A process that reads ten times
// RAM, one byte a page, is ended.
static void want_quarter(struct start *line, int report, uint64 bytes) {
  start_wait(line);
  char got = sbrkeager(bytes) != SBRK_ERROR;
  EXPECT(write(report, &got, 1), ==, 1);
  for (;;) sleep(1000);
}

static void read_too_much(void *unused) {
  (void)unused;
  uint64 pages = 10 * memstat_now().total;
  volatile char *base = grow(pages * PGSIZE);
  for (uint64 i = 0; i < pages; i++) (void)base[i * PGSIZE];
}

void test_sbrkfail(void) {
  int pids[8], ends[2], lucky = 0;
  struct start line;
  uint64 bytes = memstat_now().total / 4 * PGSIZE, frames = memstat_now().free;
  if (bytes > GIB) bytes = GIB;
  pipe_primed(ends);
  start_make(&line);
  for (int i = 0; i < 8; i++)
    if ((pids[i] = must_fork()) == 0) want_quarter(&line, ends[1], bytes);
  start_now(&line);
  for (int i = 0; i < 8; i++) {
    char got = 9;
    EXPECT_AT(i, read(ends[0], &got, 1), ==, 1);
    lucky += got;
  }
  EXPECT(lucky * (bytes / PGSIZE), <=, frames);
  kill_all(pids, 8);
  EXPECT(sbrkeager(bytes), !=, SBRK_ERROR);  // it is all there again
  shrink(bytes);
  EXPECT(hungry_status(read_too_much, 0), ==, KILLED);
}

// A child takes all memory; the parent, which has its pages already, computes
// on; a sibling that needs a new page dies.  With the child gone, all is well.
// (Pitfall 27.)
static void hold_everything(struct start *line, int full) {
  start_wait(line);
  char sign = 'f';
  own_pages(&sign, 1);
  take_all_memory(0);
  EXPECT(write(full, &sign, 1), ==, 1);
  for (;;) sleep(1000);
}

void test_nomem_touch(void) {
  int ends[2], late[2], pids[2];
  char sign;
  struct start line;
  char *base = page_break();
  grow(4 * PGSIZE);
  mark_pages(base, 1, 7);
  pipe_primed(ends);
  pipe_primed(late);
  start_make(&line);
  if ((pids[0] = must_fork()) == 0) hold_everything(&line, ends[1]);
  if ((pids[1] = must_fork()) == 0) {
    start_wait(&line);
    read(late[0], &sign, 1);
    for (;;) *grow(PGSIZE) = 1;  // ends when there is no page
  }
  own_pages(base, PGSIZE);
  start_now(&line);
  EXPECT(read(ends[0], &sign, 1), ==, 1);
  EXPECT(write(late[1], "x", 1), ==, 1);
  int status, pid = wait(&status);
  EXPECT(pid, ==, pids[1]);
  EXPECT(status, ==, KILLED);
  EXPECT(mark_flaw(base, 1, 7), ==, -1);
  mark_pages(base, 1, 9);
  kill_all(pids, 1);
  mark_pages(base, 4, 8);
  EXPECT(mark_flaw(base, 4, 8), ==, -1);
}
