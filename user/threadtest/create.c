// Beginning and joining: what a thread starts with, what clone and join refuse, and
// whose thread is whose.
#include "kernel/types.h"
#include "kernel/inject.h"
#include "user/threadtest/threadtest.h"

void raw_start(void *, void *);
extern uint64 raw_seen[4];  // sp, ra, a0, a1

enum { STACK_FRAMES = 2 };  // of a kernel stack

static int go, done, ready;

static void count(void *arg, void *arg2) {
  (void)arg2;
  add(&done, (long)arg);
  exit(0);
}

static void wait_for_go(void *arg, void *arg2) {
  (void)arg, (void)arg2;
  add(&ready, 1);
  while (get(&go) == 0) futex(&go, FUTEX_WAIT, 0);
  exit(0);
}

static void let_go(void) {
  set(&go, 1);
  futex(&go, FUTEX_WAKE, MOST);
}

// ---- create ----------------------------------------------------------------

static uint64 seen[3];
static void store_arguments(void *arg, void *arg2) {
  seen[0] = (uint64)arg;
  seen[1] = (uint64)arg2;
  seen[2] = getpid();
}

void test_create_and_join(void) {
  int pid = thread_create(store_arguments, (void *)0x123456789abcdef0, (void *)-5);
  CHECK(pid > 0, "thread_create gave %d", pid);
  CHECK_EQ(thread_join(), pid);
  CHECK_EQ(seen[0], 0x123456789abcdef0);
  CHECK_EQ(seen[1], -5);
  CHECK_EQ(seen[2], pid);
  CHECK(pid != getpid(), "the thread has its creator's pid %d", pid);
  CHECK_EQ(thread_join(), -1);
  CHECK_EQ(join(0), -1);
}

// On a page of the heap that nobody has touched, too.
void test_raw_clone(void) {
  char *pages[] = {stack_page(), (char *)PGROUNDUP((uint64)sbrk(2 * PGSIZE))};
  for (int i = 0; i < COUNT_OF(pages); i++) {
    int pid = clone(raw_start, (void *)(0x1000000000l + i), (void *)~7ul, pages[i]);
    CHECK(pid > 0, "clone gave %d", pid);
    void *stack = 0;
    CHECK_EQ(join(&stack), pid);
    CHECK_EQ(stack, pages[i]);
    CHECK_EQ(raw_seen[0], pages[i] + PGSIZE);
    CHECK_EQ(raw_seen[1], -1);
    CHECK_EQ(raw_seen[2], 0x1000000000l + i);
    CHECK_EQ(raw_seen[3], ~7ul);
  }
  CHECK_EQ(join(0), -1);
}

void test_clone_refuses(void) {
  char *page = stack_page();
  uint64 below = PGROUNDDOWN(r_sp()) - PGSIZE, end = PGROUNDUP((uint64)sbrk(0));
  const uint64 bad[] = {
      (uint64)page + 8, (uint64)page + 1, (uint64)page - 16, 0, 1, below, end, end + PGSIZE,
      PGROUNDDOWN((uint64)count), PGROUNDDOWN((uint64)"constant"), KERNBASE, 1l << 30,
      USERTOP, USERTOP - PGSIZE, MAXVA, MAXVA - PGSIZE, 1ul << 63, -1ul, -4096ul, -8192ul,
      0xffffffff80000000ul, 0xffffffc000000000ul,
  };
  for (int i = 0; i < COUNT_OF(bad); i++) {
    int pid = clone(count, (void *)1, 0, (void *)bad[i]);
    CHECK(pid == -1, "stack 0x%lx: clone gave %d", bad[i], pid);
    CHECK_EQ(join(0), -1);
  }
  must_clone(count, 1, page);
  CHECK(join(0) > 0, "join failed");
  CHECK_EQ(done, 1);
}

// ---- no room ---------------------------------------------------------------

// Every slot of the process table a thread of ours; then clone and fork are refused,
// and all is well again once they have ended.  Twice, for slots that were lost.
void test_table_full(void) {
  for (int round = 0; round < 2; round++) {
    set(&go, 0);
    set(&ready, 0);
    static char *pages[STACK_PAGES];
    int n = 0, pid = 0;
    for (;; n++) {
      CHECK(n < NPROC, "%d threads and still going", n);
      if (pages[n] == 0) pages[n] = stack_page();
      pid = clone(wait_for_go, 0, 0, pages[n]);
      if (pid < 0) break;
    }
    CHECK_EQ(pid, -1);
    CHECK(n > NPROC / 2, "only %d threads", n);
    CHECK_EQ(fork(), -1);
    CHECK_EQ(clone(wait_for_go, 0, 0, pages[n]), -1);
    doze_until(&ready, n);
    let_go();
    for (int i = 0; i < n; i++) CHECK(join(0) > 0, "join %d of %d failed", i, n);
    CHECK_EQ(join(0), -1);
  }
}

// Begins as many threads as can be, and returns how many.
static int clone_all(char **pages) {
  for (int begun = 0; begun < NPROC; begun++) {
    int pid = clone(wait_for_go, 0, 0, pages[begun]);
    if (pid > 0) continue;
    CHECK_EQ(pid, -1);
    return begun;
  }
  CHECK(0, "%d threads without memory", NPROC);
  return 0;
}

// A clone needs nothing but a kernel stack: without memory exactly the kept ones and
// what is free serve.  Threads that have begun end well, and the others cost nothing.
static void clone_without_memory(void *unused) {
  (void)unused;
  static char *pages[NPROC];
  set(&go, 0);  // and with it the page becomes ours
  set(&ready, 0);
  set(&done, 0);
  for (int i = 0; i < NPROC; i++) {
    pages[i] = stack_page();
    *pages[i] = 1;
  }
  await_quiet(NPROC);  // the parent waits, and has the pages that it needs for it
  for (long bytes = 1l << 29; bytes >= PGSIZE; bytes /= 2)
    while (sbrkeager(bytes) != SBRK_ERROR) continue;
  struct memstat left = memstat_now();
  uint64 before = left.free + left.kept;
  int begun = clone_all(pages);
  int least = left.kept / STACK_FRAMES, most = before / STACK_FRAMES;
  CHECK(begun >= least && begun <= most, "%d threads, not %d to %d", begun, least, most);
  CHECK_EQ(clone(wait_for_go, 0, 0, pages[0]), -1);
  let_go();
  for (int i = 0; i < begun; i++) CHECK(join(0) > 0, "join failed");
  CHECK_EQ(join(0), -1);
  CHECK_FREE(before);

  CHECK(sbrk(-64 * PGSIZE) != SBRK_ERROR, "shrink failed");
  must_clone(count, 1, pages[0]);
  CHECK(join(0) > 0, "join failed");
  CHECK_EQ(done, 1);
}

void test_no_memory_to_clone(void) {
  uint64 before = frames_at_rest();
  expect_status(clone_without_memory, 0, 0);
  CHECK_FREE(before);
}

// With injected failures (debug builds) every single allocation of a clone fails once.
void test_each_allocation_fails(void) {
  char *page = stack_page();
  must_clone(count, 1, page);  // so that what it writes is there
  CHECK(join(0) > 0, "join failed");
  uint64 before = frames_at_rest();
  int passes = 0, n = 1;
  do {
    CHECK(n < 50, "clone takes too many allocations");
    inject(INJECT_KALLOC, n);
    int pid = clone(count, (void *)1, 0, page);
    passes = inject(INJECT_KALLOC, 0);
    CHECK_EQ(pid > 0, passes < n);
    if (pid > 0) CHECK_EQ(join(0), pid);
    CHECK_EQ(join(0), -1);
    CHECK_FREE(before);
  } while (passes >= n++);
}

// ---- join ------------------------------------------------------------------

// A bad address costs nothing: the thread is there to be joined.
void test_join_refuses(void) {
  CHECK_EQ(join((void **)-1), -1);
  uint64 below = PGROUNDDOWN(r_sp()) - PGSIZE;
  const uint64 bad[] = {-1ul, -8ul, below, USERTOP, USERTOP - 4, KERNBASE, (uint64)count, MAXVA,
                        0xffffffff80000000ul, PGROUNDUP((uint64)sbrk(0)) - 4};
  char *page = stack_page();
  void *stack = 0;
  for (int ended = 0; ended < 2; ended++) {
    set(&go, ended);
    int pid = must_clone(wait_for_go, 0, page);
    sleep(ended);
    let_go();
    for (int i = 0; i < COUNT_OF(bad); i++) {
      int got = join((void **)bad[i]);
      CHECK(got == -1, "join(0x%lx) gave %d", bad[i], got);
    }
    CHECK_EQ(join(&stack), pid);
    CHECK_EQ(stack, page);
    CHECK_EQ(join(&stack), -1);
  }
}

static int made, taken;
static void make_one(void *arg, void *arg2) {
  (void)arg, (void)arg2;
  made = must_clone(count, 1, stack_page());
  spin_until(&done, 1);
  doze_until(&go, 1);
  exit(0);
}
static void join_none(void *arg, void *arg2) {
  (void)arg, (void)arg2;
  taken = join(0);
  exit(0);
}
static void open_late(void *arg, void *arg2) {
  (void)arg, (void)arg2;
  sleep(3);
  let_go();
  exit(0);
}

// A thread is joined by its creator and nobody else, as long as that one lives.
void test_join_own_only(void) {
  int maker = must_clone(make_one, 0, stack_page());
  doze_until(&done, 1);
  int other = must_clone(join_none, 0, stack_page());
  CHECK_EQ(join(0), other);
  CHECK_EQ(taken, -1);
  int opener = must_clone(open_late, 0, stack_page());
  int first = join(0), was_open = get(&go), second = join(0), third = join(0);
  CHECK(was_open, "joined %d before %d had let %d go", first, opener, maker);
  CHECK(first != second && second != third && first != third &&
            first + second + third == opener + maker + made,
        "joined %d, %d and %d, not %d, %d and %d", first, second, third, opener, maker, made);
  CHECK_EQ(join(0), -1);
}

static void make_and_leave(void *arg, void *arg2) {
  (void)arg, (void)arg2;
  for (int i = 0; i < 3; i++) must_clone(count, 1, stack_page());
  doze_until(&done, 3);
  for (int i = 0; i < 3; i++) must_clone(wait_for_go, 0, stack_page());
  exit(0);
}

// What its creator leaves, ended or running, comes to the leader.
void test_join_inherited(void) {
  must_clone(make_and_leave, 0, stack_page());
  doze_until(&ready, 3);
  for (int i = 0; i < 4; i++) CHECK(join(0) > 0, "join %d failed", i);
  let_go();
  for (int i = 0; i < 3; i++) CHECK(join(0) > 0, "join %d failed", 4 + i);
  CHECK_EQ(join(0), -1);
}

// wait is for processes, join for threads.
void test_wait_and_join(void) {
  CHECK_EQ(wait(0), -1);
  int thread = must_clone(count, 1, stack_page());
  doze_until(&done, 1);
  sleep(1);
  CHECK_EQ(wait(0), -1);
  int child = must_fork();
  if (child == 0) {
    CHECK_EQ(join(0), -1);
    exit(9);
  }
  sleep(2);
  CHECK_EQ(join(0), thread);
  CHECK_EQ(join(0), -1);
  wait_for(child, 9);
  CHECK_EQ(wait(0), -1);
}

// ---- many ------------------------------------------------------------------

void test_many_threads(void) {
  enum { THREADS = 150, ROUNDS = 5 };
  static char *pages[THREADS];
  for (int i = 0; i < THREADS; i++) pages[i] = stack_page();
  for (int round = 0; round < ROUNDS; round++) {
    set(&go, 0);
    set(&ready, 0);
    for (int i = 0; i < THREADS; i++) must_clone(wait_for_go, 0, pages[i]);
    doze_until(&ready, THREADS);
    let_go();
    uint64 sum = 0;
    for (int i = 0; i < THREADS; i++) {
      void *stack = 0;
      CHECK(join(&stack) > 0, "join %d failed", i);
      sum += (char *)stack - pages[0];
    }
    CHECK_EQ(sum, (uint64)PGSIZE * (THREADS - 1) * THREADS / 2);
  }
  CHECK_EQ(join(0), -1);
}
