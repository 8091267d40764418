// Growing and shrinking: where the break goes, what is in the pages, and how many
// frames it costs, pages and page tables alike.
#include "kernel/vm.h"
#include "user/lazytests/lazytests.h"

enum { TICKS_OF_PATIENCE = 50 };  // for what should take a few microseconds

static uint64 frames_of(const struct memstat *m) { return m->user + m->pagetable; }

static uint64 frames_since(const struct memstat *before) {
  struct memstat now = memstat_now();
  return frames_of(&now) - frames_of(before);
}

static void must_be_zero(const char *at, long bytes) {
  for (long i = 0; i < bytes; i++) CHECK(at[i] == 0, "byte %ld of %p is %d", i, at, at[i]);
}

// A shrink below 0 is refused, yet returns the size as if nothing had been asked.
void sbrk_edges(void) {
  char *size = sbrk(0);
  const int smallest = -0x7fffffff - 1;
  CHECK_EQ(sbrk(-((int)(uint64)size + 1)), size);
  CHECK_EQ(sbrk(0), size);
  CHECK_EQ(sbrk(-0x7fffffff), size);
  CHECK_EQ(sbrk(0), size);
  CHECK_EQ(sbrk(smallest), size);
  CHECK_EQ(sbrkeager(smallest), size);
  CHECK_EQ(sbrk(0), size);

  // The break beyond 2 and 4 GiB: nothing is cut to 32 bits.
  const int most = 0x7fffffff;
  uint64 top = (uint64)size;
  for (int i = 0; i < 5; i++, top += most) CHECK_EQ(sbrk(most), top);
  CHECK_EQ(sbrk(0), top);
  char *last = (char *)top - 1;
  *last = 'z';
  CHECK_EQ(*last, 'z');
  for (int i = 0; i < 5; i++, top -= most) CHECK_EQ(sbrk(-most), top);
  CHECK_EQ(sbrk(0), size);
}

static void give_all_back(void *unused) {
  (void)unused;
  sbrk_by(-(long)(uint64)sbrk(0));  // the text goes with it, so there is no way back
}

void shrink_to_nothing(void) {
  uint64 before = free_frames();
  EXPECT_KILLED(give_all_back, 0);
  CHECK_FREE(before);
}

// What lies behind the break is gone, even where its page stays.
void shrink_inside_page(void) {
  CHECK_EQ((uint64)sbrk(0) % PGSIZE, 0);
  char *base = sbrk(3 * PGSIZE);
  memset(base, 0xee, 3 * PGSIZE);
  sbrk(-100);
  CHECK_EQ(sbrk(100), base + 3 * PGSIZE - 100);
  CHECK_EQ((uchar)base[3 * PGSIZE - 101], 0xee);
  must_be_zero(base + 3 * PGSIZE - 100, 100);

  memset(base, 0xee, 3 * PGSIZE);
  sbrk(-2 * PGSIZE - 1);
  sbrkeager(2 * PGSIZE + 1);
  must_be_zero(base + PGSIZE - 1, 2 * PGSIZE + 1);
  CHECK_EQ((uchar)base[PGSIZE - 2], 0xee);
}

// Page tables whose last page went must go at once as well.
void shrink_frees_tables(void) {
  char *base = sbrk_by(4 * GIB);
  CHECK(base != SBRK_ERROR, "sbrk of 4 GiB failed");
  struct memstat before = memstat_now();
  for (long at = GIB; at < 4 * GIB; at += 2 * MIB) base[at] = 1;
  const uint64 touched = 3 * GIB / (2 * MIB);
  CHECK_EQ(GROWTH(before, user), touched);
  uint64 tables = GROWTH(before, pagetable);
  CHECK(tables >= touched, "%ld tables for %ld pages 2 MiB apart", tables, touched);
  CHECK_EQ(sbrk_by(-4 * GIB), base + 4 * GIB);
  CHECK_EQ(GROWTH(before, user), 0);
  CHECK_EQ(GROWTH(before, pagetable), 0);
}

// Grows to the last byte there can be; later growth of any size must fail.
static char *grow_to_the_top(void) {
  char *base = sbrk(0);
  CHECK_EQ(sbrk_by(USERTOP - (uint64)base), base);
  CHECK_EQ(sbrk(0), USERTOP);
  CHECK_EQ(sbrk(1), SBRK_ERROR);
  CHECK_EQ(sbrkeager(1), SBRK_ERROR);
  CHECK_EQ(sbrk(0x7fffffff), SBRK_ERROR);
  CHECK_EQ(sbrk(0), USERTOP);
  return base;
}

// A page in each of a few gigabytes, far apart, and the very last one: each costs
// itself and two tables, and all of them come back in no time.
void sparse_to_the_top(void) {
  const uint64 stride = 32 * GIB;
  char *base = grow_to_the_top();
  struct memstat before = memstat_now();
  uint64 touched = 0;
  for (uint64 at = stride; at < USERTOP; at += stride, touched++) *(uint64 *)at = at;
  *(uint64 *)(USERTOP - 8) = 8;
  touched++;
  CHECK_EQ(frames_since(&before), 3 * touched);
  for (uint64 at = stride; at < USERTOP; at += stride) CHECK_EQ(*(uint64 *)at, at);

  int start = uptime();
  CHECK_EQ(sbrk_by((uint64)base - USERTOP), USERTOP);
  int took = uptime() - start;
  CHECK(took < TICKS_OF_PATIENCE, "the shrink took %d ticks", took);
  CHECK_EQ(frames_since(&before), 0);
  CHECK_EQ(sbrk(0), base);
}

// Fork and exit walk what is there, not the 64 million pages that might be.
void sparse_fork(void) {
  enum { FORKS = 50 };
  char *base = grow_to_the_top();
  base[100 * GIB] = 'm';
  *(char *)(USERTOP - 1) = 't';
  int start = uptime();
  for (int i = 0; i < FORKS; i++) {
    int pid = must_fork();
    if (pid == 0) exit(base[100 * GIB] != 'm' || *(char *)(USERTOP - 1) != 't');
    must_wait(0);
  }
  int took = uptime() - start;
  CHECK(took < TICKS_OF_PATIENCE, "%d forks took %d ticks", FORKS, took);
}

// Eager growth brings zeroed pages, and touching them is no fault.
void eager_pages(void) {
  enum { PAGES = 700 };
  struct memstat before = memstat_now();
  char *base = sbrkeager(PAGES * PGSIZE);
  CHECK(base != SBRK_ERROR, "sbrkeager of %d pages failed", PAGES);
  CHECK_EQ(GROWTH(before, user), PAGES);
  uint64 faults = memstat_now().faults;
  must_be_zero(base, PAGES * PGSIZE);
  memset(base, 1, PAGES * PGSIZE);
  CHECK_EQ(memstat_now().faults, faults);
  CHECK_EQ(sbrk(-PAGES * PGSIZE), base + PAGES * PGSIZE);
  CHECK_EQ(frames_since(&before), 0);
}

// What there is no memory for is refused whole.
void eager_too_much(void) {
  char *size = sbrk(0);
  uint64 bytes = (memstat_now().free + 1) * PGSIZE;
  uint64 chunk = GIB;
  struct memstat before = memstat_now();
  uint64 got = 0;
  for (; bytes - got > chunk; got += chunk)
    CHECK(sbrkeager(chunk) != SBRK_ERROR, "no memory after %ld bytes of %ld", got, bytes);
  char *edge = sbrk(0);
  uint64 held = free_frames();
  CHECK_EQ(sbrkeager(bytes - got), SBRK_ERROR);
  CHECK_EQ(sbrk(0), edge);
  CHECK_EQ(free_frames(), held);
  sbrk_by(-(long)got);
  CHECK_EQ(sbrk(0), size);
  CHECK_EQ(frames_since(&before), 0);
}

// Starts a child that takes `pages` eagerly, and kills it once it has some of them.
// Returns its status.
static int kill_while_growing(uint64 pages, const struct memstat *before) {
  int pid = must_fork(), status;
  if (pid == 0) {
    sbrkeager(pages * PGSIZE);
    exit(0);
  }
  while (GROWTH(*before, zero_fills) < 100) continue;
  kill(pid);
  CHECK_EQ(wait(&status), pid);
  return status;
}

// A kill ends an eager growth between two pages, and what it took is given back.  A
// child that is not killed in time does not count.
void eager_killed(void) {
  struct memstat before;
  uint64 pages = 0;
  int status = 0;
  for (int tries = 0; tries < 20 && status == 0; tries++) {
    before = memstat_now();
    pages = before.free / 4 * 3;
    if (pages > GIB / PGSIZE) pages = GIB / PGSIZE;
    status = kill_while_growing(pages, &before);
  }
  CHECK_EQ(status, -1);
  CHECK(GROWTH(before, zero_fills) < pages, "all %ld pages were taken after the kill", pages);
  CHECK_EQ(frames_since(&before), 0);
}

// Old programs leave the second argument undefined: all but one value is lazy.
void mode_is_optional(void) {
  static const int modes[] = {0, SBRK_LAZY, 3, -1, 0x7fffffff, 1 << 16};
  struct memstat before = memstat_now();
  for (int i = 0; i < COUNT_OF(modes); i++)
    CHECK(sys_sbrk(PGSIZE, modes[i]) != SBRK_ERROR, "sbrk in mode %d failed", modes[i]);
  CHECK_EQ(GROWTH(before, user), 0);
  sys_sbrk(PGSIZE, SBRK_EAGER);
  CHECK_EQ(GROWTH(before, user), 1);
}

// A page read first is written without another fault, and none is taken twice.
void one_fault_a_page(void) {
  enum { PAGES = 64 };
  volatile char *base = sbrk(PAGES * PGSIZE);
  base[0] = 1;  // now the page tables are there too
  struct memstat before = memstat_now();
  for (int i = 1; i < PAGES; i++) {
    CHECK_EQ(base[i * PGSIZE], 0);
    base[i * PGSIZE] = i;
  }
  CHECK_EQ(GROWTH(before, faults), PAGES - 1);
  CHECK_EQ(GROWTH(before, zero_fills), PAGES - 1);
  CHECK_EQ(GROWTH(before, cow_copies), 0);
}
