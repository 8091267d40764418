// The break: growth, shrinking, limits, and what fresh memory holds.
#include "user/usertests/ut.h"

#define MIB  (1UL << 20)
#define GIB  (1UL << 30)

static uint64 never_written[9 * PGSIZE / 8];

void test_bsstest(void) {
  EXPECT(nonzero(never_written, sizeof(never_written)), ==, -1);
  paint(never_written, sizeof(never_written), 1);
  EXPECT(paint_flaw(never_written, sizeof(never_written), 1), ==, -1);
}

// How much this test may touch: `part` of what is free.
static uint64 pages_to_use(uint64 most, uint64 part) {
  uint64 pages = memstat_now().free / part;
  return pages < most ? pages : most;
}

// --- sbrk ---

static void more_than_ram(void *unused) {
  (void)unused;
  uint64 pages = memstat_now().total + 256;
  mark_pages(grow(pages * PGSIZE), pages, 2);
}

// A growth that no memory can back succeeds; touching it all ends the process.
// Byte by byte, the break moves by one, and the byte under it can be used.
void test_sbrkbasic(void) {
  EXPECT(hungry_status(more_than_ram, 0), ==, KILLED);

  char *base = sbrk(0);
  for (int i = 0; i < 5000; i++) {
    EXPECT_AT(i, sbrk(1), ==, base + i);
    base[i] = file_byte(2, i);
  }
  for (int i = 0; i < 5000; i++) EXPECT_AT(i, (uint8)base[i], ==, file_byte(2, i));

  int pid = must_fork();  // the break is the child's own
  EXPECT(sbrk(pid == 0 ? 3 : 0), ==, base + 5000);
  EXPECT(sbrk(0), ==, base + (pid == 0 ? 5003 : 5000));
  if (pid == 0) exit(0);
  join_all(1);
  EXPECT(sbrk(0), ==, base + 5000);
}

// A large heap: kept while it grows, gone when it shrinks, zero when it returns.
void test_sbrkmuch(void) {
  char *base = page_break();
  uint64 pages = pages_to_use(64 * MIB / PGSIZE, 3);
  grow(pages * PGSIZE);
  mark_pages(base, pages, 3);
  char *top = base + pages * PGSIZE;
  top[-1] = 99;
  EXPECT(mark_flaw(base, pages - 1, 3), ==, -1);

  uint64 user = memstat_now().user;
  shrink(PGSIZE);
  EXPECT(memstat_now().user, ==, user - 1);
  EXPECT(LOAD_STATUS(top - PGSIZE), ==, KILLED);
  EXPECT(LOAD_STATUS(top - PGSIZE - 1), ==, 0);
  grow(PGSIZE);
  EXPECT(top[-1], ==, 0);
  EXPECT(mark_flaw(base, pages - 1, 3), ==, -1);

  shrink((pages / 2) * PGSIZE);
  EXPECT(mark_flaw(base, pages - pages / 2, 3), ==, -1);
  EXPECT(LOAD_STATUS(base + (pages - pages / 2) * PGSIZE), ==, KILLED);
}

// What a program loses when it gives back more than its heap is its own affair:
// it dies, in a system call or out of it, and the kernel goes on.
static void shrink_to(void *size) {
  uint64 goal = (uint64)size;
  sys_sbrk(-(int)((uint64)sbrk(0) - goal), SBRK_LAZY);
  load_at((void *)PGROUNDUP(goal));
}

void test_sbrkbugs(void) {
  const uint64 sizes[] = {0, 1, 3500, PGROUNDDOWN((uint64)shrink_to), stack_page() - 5,
                          stack_page()};
  for (int i = 0; i < COUNT_OF(sizes); i++)
    EXPECT_AT(sizes[i], child_status(shrink_to, (void *)sizes[i]), ==, KILLED);

  // The middle of a page as the break, moved across its borders.
  char *base = page_break();
  static const int moves[] = {2048, -10, 4096, -4095, -1, 10, -2048, 6000, -6000};
  long at = 0;
  for (int i = 0; i < COUNT_OF(moves); i++) {
    EXPECT_AT(i, sbrk(moves[i]), ==, base + at);
    at += moves[i];
    if (at > 0) base[at - 1] = 1;
  }
  EXPECT(sbrk(0), ==, base + at);
}

// The last bytes before a break that went back and forth are still memory, also
// to system calls.
void test_sbrklast(void) {
  char *base = page_break();
  grow(PGSIZE);
  sbrk(10);
  sbrk(-20);
  char *name = base + PGSIZE - 10 - 64;
  strcpy(name, "last");
  int fd = must_open(name, O_CREATE | O_RDWR);
  char *last = sbrk(0) - 1;
  *last = 'z';
  EXPECT(write(fd, last, 1), ==, 1);
  close(fd);
  *last = 0;
  fd = must_open(name, O_RDONLY);
  EXPECT(read(fd, last, 1), ==, 1);
  EXPECT(*last, ==, 'z');
}

// A huge count is a negative int: below 0, so nothing happens.  (Pitfall 56.)
void test_sbrk8000(void) {
  char *top = sbrk(0);
  static const uint counts[] = {0x80000004, 0x80000000, 0x80000001, 0xc0000000};
  for (int i = 0; i < COUNT_OF(counts); i++) {
    EXPECT_AT(counts[i], sbrk((int)counts[i]), ==, top);
    EXPECT_AT(counts[i], sbrk(0), ==, top);
  }
  sbrk(1);
  *top += 1;
  EXPECT(*top, ==, 1);
}

// Giving back one byte more than there is, in every way.  (Pitfall 18.)
void test_sbrk_below(void) {
  page_break();
  long size = (long)sbrk(0);
  const long counts[] = {-(size + 1), -(size + PGSIZE), -2 * size, -0x7fffffff};
  for (int i = 0; i < COUNT_OF(counts); i++) {
    EXPECT_AT(i, sbrk(counts[i]), ==, size);
    EXPECT_AT(i, sbrkeager(counts[i]), ==, size);
    EXPECT_AT(i, sbrk(0), ==, size);
  }
  EXPECT(STORE_STATUS(size - 1), ==, 0);
}

// --- Wide address spaces ---

// Beyond 2 and 4 GiB: addresses are 64 bits wide in the break, in faults and in
// system calls.  (Pitfall 19.)
void test_sbrk_wide(void) {
  static const uint64 sizes[] = {3 * GIB, 5 * GIB, 40 * GIB, 200 * GIB};
  char *base = page_break();
  uint64 size = 0;
  int ends[2];
  EXPECT(pipe(ends), ==, 0);
  for (int i = 0; i < COUNT_OF(sizes); i++) {
    EXPECT_AT(sizes[i], grow(sizes[i] - size), ==, base + size);
    size = sizes[i];
    EXPECT_AT(size, sbrk(0), ==, base + size);
    char *last = base + size - 8;
    EXPECT_AT(size, *(uint64 *)last, ==, 0);
    *(uint64 *)last = stamp(4, size);
    EXPECT_AT(size, write(ends[1], last, 8), ==, 8);
    EXPECT_AT(size, read(ends[0], last - PGSIZE, 8), ==, 8);
    EXPECT_AT(size, *(uint64 *)(last - PGSIZE), ==, stamp(4, size));
    EXPECT_AT(size, LOAD_STATUS(base + size), ==, KILLED);
  }
  for (int i = 0; i < COUNT_OF(sizes); i++)
    EXPECT_AT(sizes[i], *(uint64 *)(base + sizes[i] - 8), ==, stamp(4, sizes[i]));
  shrink(size - 2 * PGSIZE);
  EXPECT(sbrk(0), ==, base + 2 * PGSIZE);
  EXPECT(LOAD_STATUS(base + 5 * GIB - 8), ==, KILLED);
}

// Up to USERTOP and not a byte further, in both modes.  (Pitfall 20.)
void test_sbrk_top(void) {
  char *base = page_break();
  uint64 room = USERTOP - (uint64)base;
  EXPECT(sbrk_by(room + 1), ==, SBRK_ERROR);
  EXPECT(sbrk(0), ==, base);
  grow(room - PGSIZE);
  static const int too_much[] = {PGSIZE + 1, 2 * PGSIZE, 0x7fffffff, 0x7ffff000};
  for (int i = 0; i < COUNT_OF(too_much); i++) {
    EXPECT_AT(i, sbrk(too_much[i]), ==, SBRK_ERROR);
    EXPECT_AT(i, sbrkeager(too_much[i]), ==, SBRK_ERROR);
    EXPECT_AT(i, sbrk(0), ==, USERTOP - PGSIZE);
  }
  EXPECT(grow_eager(PGSIZE), ==, USERTOP - PGSIZE);
  *(char *)(USERTOP - 1) = 'T';
  EXPECT(sbrk(1), ==, SBRK_ERROR);
  EXPECT(sbrkeager(1), ==, SBRK_ERROR);
  EXPECT(LOAD_STATUS(USERTOP), ==, KILLED);
  EXPECT(*(char *)(USERTOP - 1), ==, 'T');
  shrink(room);
  EXPECT(sbrk(0), ==, base);
}

// A shrink that ends inside a page keeps the page and forgets its tail, as far
// as a later growth can see.  (Pitfall 21.)
void test_shrink_tail(void) {
  char *base = page_break();
  static const int keeps[] = {1, 8, 100, 2048, PGSIZE - 1, PGSIZE, PGSIZE + 1};
  for (int eager = 0; eager < 2; eager++)
    for (int i = 0; i < COUNT_OF(keeps); i++) {
      int keep = keeps[i];
      grow(3 * PGSIZE);
      memset(base, 0xaa, 3 * PGSIZE);
      shrink(3 * PGSIZE - keep);
      eager ? grow_eager(3 * PGSIZE - keep) : grow(3 * PGSIZE - keep);
      EXPECT_AT(keep, nonzero(base + keep, 3 * PGSIZE - keep), ==, -1);
      for (int k = 0; k < keep; k++) EXPECT_AT(k, (uint8)base[k], ==, 0xaa);
      shrink(3 * PGSIZE);
    }
}

// Touches far apart need tables of their own; a shrink gives them back at once,
// not at exit.  (Pitfall 23.)
void test_shrink_tables(void) {
  char *base = page_break();
  static const uint64 strides[] = {2 * MIB, GIB};
  for (int i = 0; i < COUNT_OF(strides); i++) {
    struct memstat before = memstat_now();
    grow(40 * strides[i]);
    for (int k = 0; k < 40; k++) base[k * strides[i] + 5] = k;
    EXPECT_AT(strides[i], memstat_now().pagetable, >=, before.pagetable + 39);
    shrink(20 * strides[i]);
    for (int k = 0; k < 20; k++) EXPECT_AT(k, base[k * strides[i] + 5], ==, k);
    EXPECT_AT(strides[i], LOAD_STATUS(base + 20 * strides[i]), ==, KILLED);
    shrink(20 * strides[i]);
    struct memstat after = memstat_now();
    EXPECT_AT(strides[i], after.user, ==, before.user);
    EXPECT_AT(strides[i], after.pagetable, ==, before.pagetable);
    EXPECT_AT(strides[i], after.free + after.kept, ==, before.free + before.kept);
  }
}

// A quarter of a terabyte with three pages in it forks, exits and shrinks as
// fast as it is small.  A kernel that walks it page by page takes minutes for
// one round.  (Pitfall 22.)
void test_sparse_fork(void) {
  char *base = page_break();
  uint64 room = USERTOP - (uint64)base;
  grow(room);
  char *const spots[] = {base, base + room / 2, (char *)USERTOP - 1};
  for (int i = 0; i < COUNT_OF(spots); i++) *spots[i] = 'a' + i;
  int begin = uptime();
  for (int round = 0; round < 30; round++) {
    if (must_fork() == 0) {
      for (int i = 0; i < COUNT_OF(spots); i++) {
        EXPECT_AT(spots[i], *spots[i], ==, 'a' + i);
        *spots[i] = 'A';
      }
      exit(0);
    }
    join_all(1);
  }
  for (int i = 0; i < COUNT_OF(spots); i++) EXPECT_AT(spots[i], *spots[i], ==, 'a' + i);
  EXPECT(uptime() - begin, <, 100);
}

// --- Fresh memory ---

static void dirty_memory(void *pages) {
  char *base = grow((uint64)pages * PGSIZE);
  memset(base, 0x5a, (uint64)pages * PGSIZE);
}

// What another process wrote is never seen again, in heap lazy and eager, and in
// the rest of the page that a program ends in.  (Pitfall 47.)
void test_fresh_zero(void) {
  uint64 pages = pages_to_use(2048, 4);
  for (int round = 0; round < 2; round++) {
    EXPECT(child_status(dirty_memory, (void *)(2 * pages)), ==, 0);
    char *base = round ? grow_eager(pages * PGSIZE) : grow(pages * PGSIZE);
    EXPECT(nonzero(base, pages * PGSIZE), ==, -1);
    shrink(pages * PGSIZE);
  }
}
