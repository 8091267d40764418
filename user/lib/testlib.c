// The test runner and its checks; the contract is in user/testlib.h.
#include "user/testlib.h"

#include "kernel/param.h"
#include "kernel/procinfo.h"
#include "user/lib/format.h"

enum {
  PATIENCE = 50,  // ticks that frames may take to come back
  REST = 600,     // ticks that others may take to sleep, on a busy host
  ROWS = 64,      // processes to look at
};

// ---- checks ----------------------------------------------------------------

void __attribute__((weak)) test_end(void) { exit(1); }

// Failures begin with a newline: the name of the test may stand on the line.
void test_failed(const char *file, int line, const char *what, const char *format, ...) {
  struct output out;
  format_begin(&out, 1);
  format_add(&out, "\n%s:%d: pid %d: expected %s: ", file, line, getpid(), what);
  va_list args;
  va_start(args, format);
  format_addv(&out, format, args);
  va_end(args);
  format_add(&out, "\n");
  format_end(&out);
  test_end();
}

void test_equal(const char *file, int line, const char *what, uint64 seen, uint64 expected) {
  if (seen == expected) return;
  printf("\n%s:%d: pid %d: %s: expected %ld (0x%lx), seen %ld (0x%lx)\n", file, line, getpid(),
         what, expected, expected, seen, seen);
  test_end();
}

int must_fork(void) {
  int pid = fork();
  CHECK(pid >= 0, "fork gave %d", pid);
  return pid;
}

void must_wait(int status) {
  int seen = 0;
  int pid = wait(&seen);
  CHECK(pid > 0, "wait gave %d", pid);
  CHECK_EQ(seen, status);
}

// Runs fn(arg) in a child and returns what wait gives, or -1 when fork fails.
//
// The parent stores nothing between fork and wait (*status is the kernel's to
// write, when the child is gone): it takes no fault of its own while fn counts
// faults or frames, and needs no copy of its stack while fn uses up all memory.
static int __attribute__((noinline)) run_child(void (*fn)(void *), void *arg, int *status) {
  int pid = fork();
  if (pid == 0) {
    fn(arg);
    exit(0);
  }
  return pid < 0 ? -1 : wait(status);
}

int child_status(void (*fn)(void *arg), void *arg) {
  int status = 0;
  int ended = run_child(fn, arg, &status);
  CHECK(ended > 0, "fork or wait failed: %d", ended);
  return status;
}

// ---- memory ----------------------------------------------------------------

struct memstat memstat_now(void) {
  struct memstat now;
  CHECK(memstat(&now) == 0, "memstat failed");
  return now;
}

static uint64 unused(const struct memstat *m) { return m->free + m->kept; }

uint64 free_frames(void) {
  struct memstat now = memstat_now();
  return unused(&now);
}

// Waits for the frames to come back; returns how many are free at last.
static uint64 settle(uint64 expected) {
  uint64 seen = free_frames();
  for (int i = 0; seen != expected && i < PATIENCE; i++) {
    sleep(1);
    seen = free_frames();
  }
  return seen;
}

void check_free_frames(const char *file, int line, uint64 expected) {
  test_equal(file, line, "free frames", settle(expected), expected);
}

static struct procinfo rows[ROWS];

int process_count(void) { return proclist(rows, ROWS); }

// Whether no more than so many are left, all in sight, and nobody but the caller is
// awake.
static int is_quiet(int processes) {
  int count = process_count(), caller = getpid();
  if (count > processes || count == ROWS) return 0;
  for (int i = 0; i < count; i++)
    if (rows[i].state != 'S' && rows[i].pid != caller) return 0;
  return 1;
}

void await_quiet(int processes) {
  for (int i = 0; !is_quiet(processes) && i < REST; i++) sleep(1);
}

char *sbrk_by(long bytes) {
  const long step = 1l << 30;
  char *old = sbrk(0);
  long moved = 0;
  while (moved != bytes) {
    long left = bytes - moved;
    long n = left > step ? step : left < -step ? -step : left;
    if (sbrk(n) == SBRK_ERROR) {
      sbrk_by(-moved);
      return SBRK_ERROR;
    }
    moved += n;
  }
  return old;
}

// ---- gates -----------------------------------------------------------------

void gate_make(struct gate *gate) { CHECK(pipe(gate->fd) == 0, "pipe failed"); }

void gate_open(struct gate *gate, int passes) {
  char token = 'g';
  while (passes-- > 0) CHECK(write(gate->fd[1], &token, 1) == 1, "cannot open the gate");
}

void gate_wait(struct gate *gate) {
  char token;
  if (gate->fd[1] >= 0) close(gate->fd[1]);
  gate->fd[1] = -1;
  CHECK(read(gate->fd[0], &token, 1) == 1, "the gate was closed");
}

void gate_close(struct gate *gate) {
  close(gate->fd[0]);
  if (gate->fd[1] >= 0) close(gate->fd[1]);
}

// ---- the runner ------------------------------------------------------------

// Tells where lost frames are, by kind.
static void print_difference(const struct memstat *before, const struct memstat *after) {
  printf("\nframes before -> after: free %ld -> %ld, kept %ld -> %ld, user %ld -> %ld, "
         "page tables %ld -> %ld, kernel stacks %ld -> %ld, objects %ld -> %ld, "
         "pipes %ld -> %ld, other %ld -> %ld\n",
         before->free, after->free, before->kept, after->kept, before->user, after->user,
         before->pagetable, after->pagetable, before->kstack, after->kstack, before->slab,
         after->slab, before->pipe, after->pipe, before->other, after->other);
}

static void call_test(void *test) { ((const struct test *)test)->fn(); }

// Runs one test in a child; returns whether it passed and left no frame behind.
static int run_one(const struct suite *suite, const struct test *test) {
  struct memstat before = memstat_now();
  printf(suite->start, test->name);
  int status = 0;
  int ended = run_child(call_test, (void *)test, &status);
  int good = ended > 0 && status == 0;
  if (!good) printf("\n%s: fork or wait gave %d, status %d\n", test->name, ended, status);

  if (settle(unused(&before)) != unused(&before)) {
    struct memstat after = memstat_now();
    print_difference(&before, &after);
    good = 0;
  }
  printf(good ? suite->ok : suite->failed, test->name);
  return good;
}

static const struct test *find_test(const struct suite *suite, const char *name) {
  for (int i = 0; i < suite->count; i++)
    if (strcmp(suite->tests[i].name, name) == 0) return &suite->tests[i];
  return 0;
}

static int list_tests(const struct suite *suite) {
  for (int i = 0; i < suite->count; i++) printf("%s\n", suite->tests[i].name);
  return 0;
}

int run_tests(const struct suite *suite, int argc, char **argv) {
  if (argc > 1 && strcmp(argv[1], "-l") == 0) return list_tests(suite);
  for (int i = 1; i < argc; i++) {
    if (find_test(suite, argv[i])) continue;
    fprintf(2, "%s: there is no test called `%s`; -l lists them\n", argv[0], argv[i]);
    return 1;
  }

  // A first child makes the runner own its written pages, and the shell that started
  // it comes to rest, so that later accounts begin and end alike.
  if (suite->banner) printf("%s\n", suite->banner);
  if (fork() == 0) exit(0);
  wait(0);
  await_quiet(NPROC);

  int total = argc > 1 ? argc - 1 : suite->count, bad = 0;
  for (int i = 0; i < total; i++) {
    const struct test *test = argc > 1 ? find_test(suite, argv[i + 1]) : &suite->tests[i];
    if (!run_one(suite, test)) bad++;
  }
  if (bad == 0)
    printf("%s\n", suite->passed);
  else
    printf("SOME TESTS FAILED: %d of %d\n", bad, total);
  return bad != 0;
}
