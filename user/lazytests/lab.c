// The tests that lazy allocation is usually taught with: the three of the course
// lab and the six cases of the projects before it.
#include "user/lazytests/lazytests.h"

// Writes each address into itself, from first to last in such steps.
static void write_each(char *first, long bytes, long step) {
  for (char *at = first; at < first + bytes; at += step) *(char **)at = at;
}

static void verify_each(char *first, long bytes, long step) {
  for (char *at = first; at < first + bytes; at += step) CHECK_EQ(*(char **)at, at);
}

static void write_byte(void *at) { *(volatile char *)at = 1; }

// A gigabyte of which every 64th page is used costs those pages and no others.
void lazy_alloc(void) {
  const long step = 64 * PGSIZE;
  char *area = sbrk_by(GIB);
  CHECK(area != SBRK_ERROR, "sbrk of 1 GiB failed");
  struct memstat before = memstat_now();
  write_each(area, GIB, step);
  verify_each(area, GIB, step);
  CHECK_EQ(GROWTH(before, user), GIB / step);
  CHECK_EQ(GROWTH(before, zero_fills), GIB / step);
}

static char *area;

static void unmap_and_touch(void *at) {
  CHECK_EQ(sbrk_by(-GIB), area + GIB);
  write_byte(at);
}

// Whatever was touched is gone after the shrink, in the process that shrank.
void lazy_unmap(void) {
  const long step = 4096 * PGSIZE;
  area = sbrk_by(GIB);
  CHECK(area != SBRK_ERROR, "sbrk of 1 GiB failed");
  write_each(area, GIB, step);
  for (long at = 0; at < GIB; at += step) EXPECT_KILLED(unmap_and_touch, area + at);
  verify_each(area, GIB, step);
}

static void use_all_memory(void *unused) {
  (void)unused;
  for (;;) {
    char *block = malloc(MIB);
    CHECK(block != 0, "malloc ran out before memory did");
    for (char *at = block; at < block + MIB; at += PGSIZE) *at = 1;
  }
}

// The one that touches what is not there dies, and alone.
void out_of_memory(void) {
  uint64 before = free_frames();
  EXPECT_KILLED(use_all_memory, 0);
  CHECK_FREE(before);
}

// Asking moves the break and takes no frame.
void sbrk_ten(void) {
  struct memstat before = memstat_now();
  char *old = sbrk(10);
  CHECK_EQ(sbrk(0), old + 10);
  CHECK_EQ(GROWTH(before, user), 0);
  CHECK_EQ(GROWTH(before, faults), 0);
}

// Every byte asked for holds what is written, and was zero.
void valid_bytes(void) {
  const int size = 100 * PGSIZE + 10;  // more than a hart keeps at hand
  const int dirty = 128 * PGSIZE;
  memset(sbrk(dirty), 'x', dirty);  // frames that hold something, given back
  sbrk(-dirty);
  uchar *bytes = (uchar *)sbrk(size);
  for (int i = 0; i < size; i++) {
    CHECK(bytes[i] == 0, "byte %d was %d before it was written", i, bytes[i]);
    bytes[i] = i * 7 + 1;
  }
  for (int i = 0; i < size; i++)
    CHECK(bytes[i] == (uchar)(i * 7 + 1), "byte %d is %d", i, bytes[i]);
}

void grow_shrink_write(void) {
  char *base = sbrk(4 * PGSIZE);
  memset(base, 'a', 4 * PGSIZE);
  CHECK_EQ(sbrk(-2 * PGSIZE), base + 4 * PGSIZE);
  CHECK_EQ(sbrk(0), base + 2 * PGSIZE);
  CHECK_EQ(base[0], 'a');
  memset(base, 'b', 2 * PGSIZE);
  CHECK_EQ(base[2 * PGSIZE - 1], 'b');
  EXPECT_KILLED(write_byte, base + 2 * PGSIZE);
  EXPECT_KILLED(write_byte, base + 4 * PGSIZE - 1);
}

// The third page was never touched, so the first shrink has nothing to free.
void three_pages(void) {
  struct memstat before = memstat_now();
  char *base = sbrk(3 * PGSIZE);
  base[0] = 1;
  base[PGSIZE] = 2;
  CHECK_EQ(GROWTH(before, user), 2);
  for (int pages = 3; pages > 0; pages--) {
    CHECK_EQ(sbrk(-PGSIZE), base + pages * PGSIZE);
    CHECK_EQ(GROWTH(before, user), pages == 3 ? 2 : pages - 1);
  }
  CHECK_EQ(sbrk(0), base);
  CHECK_EQ(GROWTH(before, pagetable), 0);
}

static void read_all(void *bytes) {
  char *base = sbrk_by((uint64)bytes);
  CHECK(base != SBRK_ERROR, "sbrk of %ld failed", (uint64)bytes);
  for (volatile char *at = base; at < base + (uint64)bytes; at += PGSIZE) (void)*at;
}

// More than the machine has may be asked for but not touched, not even by reading;
// more than an address space holds may not be asked for.
void too_much_memory(void) {
  uint64 before = free_frames();
  EXPECT_KILLED(read_all, memstat_now().total * PGSIZE);
  CHECK_FREE(before);
  char *old = sbrk(0);
  CHECK_EQ(sbrk_by(USERTOP), SBRK_ERROR);
  CHECK_EQ(sbrk(0), old);
}

void above_the_break(void) {
  char *end = (char *)PGROUNDUP((uint64)sbrk(100) + 100);
  EXPECT_OK(write_byte, end - 1);
  EXPECT_KILLED(write_byte, end);
  EXPECT_KILLED(write_byte, end + PGSIZE);
  EXPECT_KILLED(write_byte, end + GIB);
}
