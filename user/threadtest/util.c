// Checks, waits, threads and children; the contracts are in threadtest.h.
#include "user/threadtest/threadtest.h"

#include "user/lib/format.h"

// ---- checks ----------------------------------------------------------------

static void end_process(void) __attribute__((noreturn));
static void end_process(void) {
  exec_helper("-fail", "");
  kill(getpid());  // no memory for exec, perhaps
  exit(1);
}

void failed(const char *file, int line, const char *what, const char *format, ...) {
  struct output out;
  format_begin(&out, 1);
  format_add(&out, "\n%s:%d: pid %d: expected %s: ", file, line, getpid(), what);
  va_list args;
  va_start(args, format);
  format_addv(&out, format, args);
  va_end(args);
  format_add(&out, "\n");
  format_end(&out);
  end_process();
}

void check_equal(const char *file, int line, const char *what, uint64 seen, uint64 expected) {
  if (seen == expected) return;
  printf("\n%s:%d: pid %d: %s: expected %ld (0x%lx), seen %ld (0x%lx)\n", file, line, getpid(),
         what, expected, expected, seen, seen);
  end_process();
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

int fork_checked(void) {
  int pid = fork();
  CHECK(pid >= 0, "fork gave %d", pid);
  return pid;
}

void wait_for(int pid, int status) {
  int seen = 0;
  CHECK_EQ(wait(&seen), pid);
  CHECK_EQ(seen, status);
}

uint64 frames_at_rest(void) {
  for (int i = 0; i < 2; i++) {
    int pid = fork_checked();
    if (pid == 0) exit(0);
    wait_for(pid, 0);
    sleep(1);
  }
  return free_frames();
}

void expect_status(void (*fn)(void *), long arg, int status) {
  int pid = fork_checked();
  if (pid == 0) {
    fn((void *)arg);
    exit(0);
  }
  wait_for(pid, status);
}
