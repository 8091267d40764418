// A break that one thread moves while others use what is below and above it.  The
// threads here have static stacks, so that the heap is the tests' alone.
#include "kernel/types.h"
#include "kernel/fcntl.h"
#include "user/threadtest/threadtest.h"

enum { THREADS = 4, SHIFT = 4 * PGSIZE };

static char *area;
static int started, stop;

static void join_raw(int n) {
  for (int i = 0; i < n; i++) CHECK(join(0) > 0, "join failed");
}

// ---- a page taken away from a reader ---------------------------------------

enum { OURS = 0x11, FOREIGN = 0x6e };

static void read_page(void *arg, void *arg2) {
  (void)arg, (void)arg2;
  for (volatile char *at = area;; at = area + (at - area + 64) % PGSIZE) {
    CHECK_EQ(*at, OURS);
    set(&started, 1);
  }
}

static void write_page(void *arg, void *arg2) {
  (void)arg, (void)arg2;
  for (volatile char *at = area;; at = area + (at - area + 64) % PGSIZE) {
    *at = OURS;
    set(&started, 1);
  }
}

static void take_away(void *user) {
  sbrk(-(uint64)sbrk(0) % PGSIZE);
  area = sbrk(PGSIZE);
  memset(area, OURS, PGSIZE);
  must_clone(user, 0, stack_page());
  doze_until(&started, 1);
  CHECK(sbrk(-PGSIZE) != SBRK_ERROR, "shrink failed");
  sleep(PROMPT);
  exit(2);
}

// Takes pages, fills them, looks whether they stay so, and gives them back.
static void use_frames(void) {
  enum { PAGES = 200 };
  for (;;) {
    char *mine = sbrkeager(PAGES * PGSIZE);
    CHECK(mine != SBRK_ERROR, "sbrkeager failed");
    memset(mine, FOREIGN, PAGES * PGSIZE);
    for (int i = 0; i < PAGES * PGSIZE; i += 64) CHECK_EQ(mine[i], FOREIGN);
    sbrk(-PAGES * PGSIZE);
  }
}

// Whoever uses the page any longer is killed.  Until then he finds it as it was: what
// others do with the frame is not to be seen, and not to be spoilt.
void test_shrink_kills_reader(void) {
  int other = must_fork();
  if (other == 0) use_frames();
  for (int round = 0; round < 5; round++) {
    expect_status(take_away, (long)read_page, -1);
    expect_status(take_away, (long)write_page, -1);
  }
  kill(other);
  wait_for(other, -1);
}

// ---- under copies ----------------------------------------------------------

enum { BYTES = 1500 };
static char scratch[BYTES], pattern[BYTES];

// The upper part of the area comes and goes, as zeros or filled.
static void move_break(void *arg, void *arg2) {
  (void)arg, (void)arg2;
  for (int round = 0; !get(&stop); round++) {
    CHECK(sbrk(-SHIFT) != SBRK_ERROR, "shrink failed");
    linger(round % 7 * 100);
    CHECK(sbrk(SHIFT) != SBRK_ERROR, "growth failed");
    if (round % 2) memset(area + SHIFT, 'm', SHIFT);
    linger(round % 5 * 100);
  }
  exit(0);
}

// A buffer that lies across the moving break, or above it.
static char *buffer(int n) { return area + SHIFT + (n % 3 - 1) * 700 + n % 11 * 100; }

static void check_scratch(int n) {
  for (int i = 0; i < n; i++)
    CHECK(scratch[i] == 0 || scratch[i] == 'm' || scratch[i] == 'q', "byte %d of %d is %d", i, n,
          scratch[i]);
}

static void start_moving(void) {
  memset(pattern, 'q', BYTES);
  sbrk(-(uint64)sbrk(0) % PGSIZE);
  area = sbrk(2 * SHIFT);
  must_clone(move_break, 0, stack_page());
}

static void stop_moving(void) {
  set(&stop, 1);
  join_raw(1);
}

static void drain(int fd, int n) {
  for (int got; n > 0; n -= got) {
    got = read(fd, scratch, n < BYTES ? n : BYTES);
    CHECK(got > 0 && got <= n, "read gave %d of %d", got, n);
    check_scratch(got);
  }
}

// A call finds the page or does not: it fails, or tells how far it came, and has
// moved just those bytes.
void test_shrink_under_copies(void) {
  int fds[2], good = 0;
  CHECK_EQ(pipe(fds), 0);
  start_moving();
  for (int n = 0, start = uptime(); !passed(start, 20); n++) {
    int put = write(fds[1], buffer(n), BYTES);
    CHECK(put == -1 || (put > 0 && put <= BYTES), "write gave %d", put);
    if (put > 0) drain(fds[0], put);

    CHECK_EQ(write(fds[1], pattern, BYTES), BYTES);
    int got = read(fds[0], buffer(n + 5), BYTES);
    CHECK(got == -1 || (got > 0 && got <= BYTES), "read gave %d", got);
    drain(fds[0], BYTES - (got > 0 ? got : 0));
    if (put > 0 && got > 0) good++;
  }
  stop_moving();
  CHECK(good > 0, "no call went well");
}

#define FILE_NAME  "/thread.tmp"

static void try_file(int n) {
  int fd = open(FILE_NAME, O_CREATE | O_RDWR | O_TRUNC);
  CHECK(fd >= 0, "cannot open " FILE_NAME);
  int put = write(fd, buffer(n), BYTES);
  CHECK(put == -1 || (put > 0 && put <= BYTES), "write gave %d", put);
  close(fd);

  fd = open(FILE_NAME, O_RDONLY);
  CHECK(fd >= 0, "cannot open " FILE_NAME " again");
  int got = read(fd, scratch, BYTES);
  CHECK(got >= 0 && (put < 0 || got == put), "wrote %d, read %d", put, got);
  check_scratch(got);
  close(fd);

  fd = open(FILE_NAME, O_RDONLY);
  got = read(fd, buffer(n + 3), BYTES);
  CHECK(got >= -1 && got <= BYTES, "read gave %d", got);
  close(fd);
}

// The same with files, whose copies run under other locks.
void test_shrink_under_files(void) {
  start_moving();
  for (int n = 0, start = uptime(); n < 200 && !passed(start, 20); n++) try_file(n);
  stop_moving();
  CHECK_EQ(unlink(FILE_NAME), 0);
}

// ---- many movers -----------------------------------------------------------

enum { GROWTHS = 150 };
static struct piece {
  uint64 *first, *last;
} pieces[THREADS][GROWTHS];

static void grow_and_mark(void *number, void *unused) {
  (void)unused;
  long thread = (long)number;
  for (int i = 0; i < GROWTHS; i++) {
    int size = 16 + (i * 7 + thread) % 90 * 128;
    char *at = sbrk(size);
    CHECK(at != SBRK_ERROR, "sbrk failed");
    struct piece *piece = &pieces[thread][i];
    piece->first = (uint64 *)at;
    piece->last = (uint64 *)(at + size) - 1;
    *piece->first = *piece->last = (uint64)piece;
  }
  exit(0);
}

// Everybody gets a piece of his own, and they fill the growth without a gap.
void test_sbrk_in_parallel(void) {
  sbrk(-(uint64)sbrk(0) % 16);
  char *begin = sbrk(0);
  for (int i = 0; i < THREADS; i++) must_clone(grow_and_mark, i, stack_page());
  join_raw(THREADS);
  uint64 total = 0;
  for (struct piece *p = pieces[0]; p < pieces[THREADS]; p++) {
    CHECK_EQ(*p->first, p);
    CHECK_EQ(*p->last, p);
    total += (char *)(p->last + 1) - (char *)p->first;
  }
  CHECK_EQ(sbrk(0), begin + total);
}

static void grow_and_shrink(void *number, void *unused) {
  (void)unused;
  for (int i = 0; i < 500; i++) {
    int size = (i * 13 + (long)number * 5) % 40 * 777;
    CHECK(sbrk(size) != SBRK_ERROR, "growth failed");
    CHECK(sbrk(-size) != SBRK_ERROR, "shrink failed");
  }
  exit(0);
}

// Nobody keeps anything: the break is where it was, and so are the frames.
void test_sbrk_up_and_down(void) {
  char *begin = sbrk(0);
  for (int i = 0; i < THREADS; i++) must_clone(grow_and_shrink, i, stack_page());
  join_raw(THREADS);
  CHECK_EQ(sbrk(0), begin);
}
