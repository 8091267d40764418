// Faults of several threads at once: each page is filled once and copied once, no
// write is lost, nobody reads an old page after he has been told of a new one, and a
// fork shows all threads' pages at one moment.
#include "user/threadtest/threadtest.h"

enum { THREADS = 4 };

static char *area;
static struct barrier all;

// ---- first touches ---------------------------------------------------------

enum { SPREAD = 512 };  // pages

static uint64 stamp(uint64 page) { return (page + 1) * 0x9e3779b97f4a7c15ul; }

static void touch_own(void *first, void *unused) {
  (void)unused;
  for (uint64 p = (uint64)first; p < SPREAD; p += THREADS) {
    uint64 *word = (uint64 *)(area + p * PGSIZE + p * 8 % PGSIZE);
    CHECK_EQ(*word, 0);
    *word = stamp(p);
  }
  for (uint64 p = (uint64)first; p < SPREAD; p += THREADS)
    CHECK_EQ(*(uint64 *)(area + p * PGSIZE + p * 8 % PGSIZE), stamp(p));
}

void test_disjoint_faults(void) {
  for (int round = 0; round < 3; round++) {
    area = sbrk(SPREAD * PGSIZE);
    for (int i = 0; i < THREADS; i++) spawn(touch_own, i);
    join_all(THREADS);
    for (uint64 p = 0; p < SPREAD; p++)
      CHECK_EQ(*(uint64 *)(area + p * PGSIZE + p * 8 % PGSIZE), stamp(p));
  }
}

enum { PAGES = 60 };

static void write_together(void *mine, void *unused) {
  (void)unused;
  barrier_wait(&all);  // with the stack and all that in place
  barrier_wait(&all);
  for (int p = 0; p < PAGES; p++) {
    barrier_wait(&all);
    area[p * PGSIZE + (long)mine] = 1 + (long)mine;
  }
  barrier_wait(&all);
  barrier_wait(&all);
}

// All threads write to the same fresh page at the same moment.
void test_same_page_once(void) {
  all.n = THREADS + 1;
  area = (char *)PGROUNDUP((uint64)sbrk((PAGES + 1) * PGSIZE));
  for (int i = 0; i < THREADS; i++) spawn(write_together, i);
  barrier_wait(&all);
  await_quiet(NPROC);
  struct memstat before = memstat_now();
  barrier_wait(&all);
  for (int p = 0; p < PAGES; p++) barrier_wait(&all);
  barrier_wait(&all);
  uint64 fills = GROWTH(before, zero_fills), frames = GROWTH(before, user);
  barrier_wait(&all);
  join_all(THREADS);
  CHECK_EQ(fills, PAGES);
  CHECK_EQ(frames, PAGES);
  for (int p = 0; p < PAGES; p++)
    for (int i = 0; i < THREADS; i++) CHECK_EQ(area[p * PGSIZE + i], 1 + i);
}

// ---- copies ----------------------------------------------------------------

static int bytes[2];  // a pipe

// The last thread has the kernel write for it.
static void write_shared(void *mine, void *unused) {
  (void)unused;
  for (int p = 0; p < PAGES; p++) {
    char *at = area + p * PGSIZE + 64 * (long)mine, mark = 'a' + (long)mine;
    barrier_wait(&all);
    if ((long)mine < THREADS - 1) {
      *at = mark;
    } else {
      CHECK_EQ(write(bytes[1], &mark, 1), 1);
      CHECK_EQ(read(bytes[0], at, 1), 1);
    }
  }
}

static void look_at_old(struct gate *go) {
  gate_wait(go);
  for (int i = 0; i < PAGES * PGSIZE; i++) CHECK_EQ(area[i], 'p');
  exit(0);
}

// Several threads write different bytes of a page that a child shares: all writes are
// there, and the child sees none.
void test_copies_keep_writes(void) {
  area = (char *)PGROUNDUP((uint64)sbrk((PAGES + 1) * PGSIZE));
  all.n = THREADS;
  CHECK_EQ(pipe(bytes), 0);
  for (int round = 0; round < 4; round++) {
    struct gate go;
    gate_make(&go);
    memset(area, 'p', PAGES * PGSIZE);
    int child = must_fork();
    if (child == 0) look_at_old(&go);
    for (int i = 0; i < THREADS; i++) spawn(write_shared, i);
    join_all(THREADS);
    for (int i = 0; i < PAGES * PGSIZE; i++) {
      int offset = i % PGSIZE, thread = offset / 64;
      int written = offset % 64 == 0 && thread < THREADS;
      CHECK_EQ(area[i], written ? 'a' + thread : 'p');
    }
    gate_open(&go, 1);
    wait_for(child, 0);
    gate_close(&go);
  }
}

// ---- order -----------------------------------------------------------------

// What the three threads of a round tell each other, on a page that is not shared.
static struct {
  int first, second, relay;  // the round's number and one, when it is so
  int rounds;                // how many there are in all, once it is known
} told;

static volatile int *word_of(int page, int which) {
  return (volatile int *)(area + page * PGSIZE) + 8 * which;
}

// Writes to the page as well, while the first writer is about to copy it; and then
// tells the reader of both writes.
static void write_second(void *arg, void *arg2) {
  (void)arg, (void)arg2;
  for (int p = 0; p < PAGES; p++) {
    barrier_wait(&all);
    if (get(&told.rounds) <= p) return;
    linger(200 + p * 11 % 300);
    *word_of(p, 1) = 1;
    set(&told.second, p + 1);
    spin_until(&told.first, p + 1);
    set(&told.relay, p + 1);
  }
}

// Reads all the time, so that this hart's TLB has the page.
static void read_on(void *arg, void *arg2) {
  (void)arg, (void)arg2;
  for (int p = 0; p < PAGES; p++) {
    CHECK_EQ(*word_of(p, 0), 0);
    barrier_wait(&all);
    if (get(&told.rounds) <= p) return;
    int relay, start = uptime();
    do {
      relay = get(&told.relay);
      int second = get(&told.second), first = get(&told.first);
      if (first > p) CHECK_EQ(*word_of(p, 0), 1);
      if (second > p) CHECK_EQ(*word_of(p, 1), 1);
      if (relay > p) CHECK_EQ(*word_of(p, 0) + *word_of(p, 1), 2);
    } while (relay <= p && !passed(start, PATIENCE));
  }
}

static void write_first(int start) {
  for (int p = 0; p < PAGES; p++) {
    if (passed(start, 30)) set(&told.rounds, p);
    barrier_wait(&all);
    if (get(&told.rounds) <= p) return;
    linger(300);
    *word_of(p, 0) = 1;
    set(&told.first, p + 1);
  }
}

// One thread's first write copies a shared page under a reader and a second writer.
// Whoever has been told of a write, by whatever way, sees it.
void test_copy_shows_in_order(void) {
  area = (char *)PGROUNDUP((uint64)sbrk((PAGES + 1) * PGSIZE));
  all.n = 3;
  for (int start = uptime(); !passed(start, 30);) {
    struct gate go;
    gate_make(&go);
    memset(area, 0, PAGES * PGSIZE);
    int child = must_fork();
    if (child == 0) {
      gate_wait(&go);
      exit(0);
    }
    told.first = told.second = told.relay = 0;
    told.rounds = PAGES;
    spawn(write_second, 0);
    spawn(read_on, 0);
    write_first(start);
    join_all(2);
    gate_open(&go, 1);
    wait_for(child, 0);
    gate_close(&go);
  }
}

// ---- a fork among writers --------------------------------------------------

static int stop;

// Two words on two pages: the first is never behind, nor more than one ahead.
static void count_twice(void *pages, void *unused) {
  (void)unused;
  int *first = pages, *second = (int *)((char *)pages + PGSIZE);
  for (int n = 1; !get(&stop); n++) {
    set(first, n);
    set(second, n);
  }
}

static void check_cut(void) {
  for (int i = 0; i < 2; i++) {
    int first = *(int *)(area + 2 * i * PGSIZE), second = *(int *)(area + (2 * i + 1) * PGSIZE);
    CHECK(second <= first && first <= second + 1, "writer %d: %d and then %d", i, first, second);
  }
  exit(0);
}

void test_consistent_cut(void) {
  area = (char *)PGROUNDUP((uint64)sbrk(5 * PGSIZE));
  for (int i = 0; i < 2; i++) spawn(count_twice, (long)area + 2 * i * PGSIZE);
  for (int n = 0, start = uptime(); n < 100 && !passed(start, 25); n++) {
    int child = must_fork();
    if (child == 0) check_cut();
    wait_for(child, 0);
  }
  set(&stop, 1);
  join_all(2);
}
