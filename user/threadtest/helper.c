// What this program does when a test has another one run it by exec.
#include "user/threadtest/threadtest.h"

static int fail(const char *arg) {
  (void)arg;
  return 1;
}

// The new program is alone: it has no threads, its own memory, and may have new ones.
static int found_threads;
static void note(void *arg, void *unused) {
  (void)arg, (void)unused;
  found_threads = 1;
}
static int report(const char *arg) {
  if (join(0) != -1 || found_threads) return 2;
  if (thread_create(note, 0, 0) < 0 || thread_join() < 0 || !found_threads) return 3;
  if (*arg) {
    int pid = getpid();
    if (write(atoi(arg), &pid, sizeof(pid)) != sizeof(pid)) return 4;
  }
  return HELPED;
}

static const struct {
  const char *name;
  int (*fn)(const char *arg);
} helpers[] = {{"-fail", fail}, {"-report", report}};

int help(int argc, char **argv) {
  for (int i = 0; argc == 3 && i < COUNT_OF(helpers); i++)
    if (strcmp(argv[1], helpers[i].name) == 0) return helpers[i].fn(argv[2]);
  return -1;
}

int exec_helper(const char *what, const char *arg) {
  char *argv[] = {"threadtest", (char *)what, (char *)arg, 0};
  return exec("/threadtest", argv);
}
