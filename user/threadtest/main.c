// threadtest [-l | name...]: threads, and all that they can do to each other.
#include "user/threadtest/threadtest.h"

enum { TIME_LIMIT = 1500 };  // ticks that one test may take

// Sleeps until it is killed or the time is up.
static int start_watch(void) {
  int pid = must_fork();
  if (pid == 0) {
    sleep(TIME_LIMIT);
    exit(0);
  }
  return pid;
}

// Runs a test in a child.  Whoever of the two ends first, watch or test, ends both.
static void watched(void (*test)(void)) {
  int watch = start_watch();
  int runner = must_fork();
  if (runner == 0) {
    test();
    exit(0);
  }
  int status = 0;
  int first = wait(&status);
  if (first == runner) {
    kill(watch);
    wait(0);
    exit(status);
  }
  kill(runner);
  printf("\nit hangs: killed after %d ticks\n", TIME_LIMIT);
  sleep(PROMPT);
  exit(1);
}

#define TEST(name) \
  static void watch_##name(void) { watched(test_##name); }
#include "user/threadtest/tests.h"
#undef TEST

#define TEST(name) {#name, watch_##name},
static const struct test tests[] = {
#include "user/threadtest/tests.h"
};

int main(int argc, char **argv) {
  static const struct suite suite = {
      .start = "%s: ",
      .ok = "ok\n",
      .failed = "failed: %s\n",
      .passed = "ALL THREAD TESTS PASSED",
      .tests = tests,
      .count = COUNT_OF(tests),
  };
  int status = help(argc, argv);
  return status >= 0 ? status : run_tests(&suite, argc, argv);
}
