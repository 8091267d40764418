// The end of a failed test, waits, threads and children; the contracts are in threadtest.h.
#include "user/threadtest/threadtest.h"

// In place of testlib's.  In a thread exit(1) would end that thread alone, so a failed
// check ends the whole process with status 1, by way of exec.
void test_end(void) {
  exec_helper("-fail", "");
  kill(getpid());  // no memory for exec, perhaps
  exit(1);
}

// ---- waiting ---------------------------------------------------------------

int passed(int start, int ticks) { return uptime() - start >= ticks; }

void spin_until(const int *word, int value) {
  int start = uptime();
  for (int turns = 1; get(word) < value; turns++)
    if (turns % 4096 == 0)
      CHECK(!passed(start, PATIENCE), "a word stays %d, less than %d", get(word), value);
}

void doze_until(const int *word, int value) {
  for (int start = uptime(); get(word) < value; sleep(1))
    CHECK(!passed(start, PATIENCE), "a word stays %d, less than %d", get(word), value);
}

void linger(int n) {
  for (volatile int i = 0; i < n; i++) continue;
}

// Spins a little, so that all leave close to each other where there are harts enough.
void barrier_wait(struct barrier *b) {
  int phase = get(&b->phase);
  if (add(&b->arrived, 1) == b->n - 1) {
    set(&b->arrived, 0);
    add(&b->phase, 1);
    futex(&b->phase, FUTEX_WAKE, MOST);
    return;
  }
  for (int i = 0; i < 3000; i++)
    if (get(&b->phase) != phase) return;
  while (get(&b->phase) == phase) futex(&b->phase, FUTEX_WAIT, phase);
}

// ---- threads ---------------------------------------------------------------

int spawn(thread_fn *fn, long arg) {
  int pid = thread_create(fn, (void *)arg, 0);
  CHECK(pid > 0, "thread_create gave %d", pid);
  return pid;
}

void join_all(int n) {
  for (int i = 0; i < n; i++) {
    int pid = thread_join();
    CHECK(pid > 0, "thread %d of %d: thread_join gave %d", i, n, pid);
  }
}

int must_clone(thread_fn *fn, long arg, char *stack) {
  int pid = clone(fn, (void *)arg, 0, stack);
  CHECK(pid > 0, "clone gave %d", pid);
  return pid;
}

char *stack_page(void) {
  static char pages[STACK_PAGES][PGSIZE] __attribute__((aligned(PGSIZE)));
  static int used;
  int page = add(&used, 1);
  CHECK(page < STACK_PAGES, "no more stack pages");
  return pages[page];
}

// ---- processes -------------------------------------------------------------

void wait_for(int pid, int status) {
  int seen = 0;
  CHECK_EQ(wait(&seen), pid);
  CHECK_EQ(seen, status);
}

uint64 frames_at_rest(void) {
  int pid = must_fork();
  if (pid == 0) exit(0);
  wait_for(pid, 0);
  await_quiet(NPROC);
  return free_frames();
}

void expect_status(void (*fn)(void *), long arg, int status) {
  CHECK_EQ(child_status(fn, (void *)arg), status);
}
