// usertests: what a kernel with xv6's interface must do, test by test.
//
//   usertests [-q] [-c] [-r SEED] [NAME ...]
//
//   -q       leave the slow tests out
//   -c       start again when done, until something fails
//   -r SEED  in an order drawn from SEED
//   NAME     only the tests named, slow ones too
//
// This file owns the order, the runner and the frame account.  A test has a
// process and an empty directory of its own; it fails if that process ends with
// anything but 0, if it does not end in time, or if afterwards the machine has
// other than as many free frames as before.
#include "user/usertests/ut.h"

#define TICKS_A_SECOND  10
#define PATIENCE        (240 * TICKS_A_SECOND)  // for one test
#define GRACE           (3 * TICKS_A_SECOND)    // until orphans are reaped

struct entry {
  const char *name;
  void (*run)(void);
  int slow;
};

static const struct entry entries[] = {
#define TEST(name, slow) {#name, test_##name, slow},
#include "user/usertests/tests.h"
#undef TEST
};

struct options {
  int quick;
  int forever;
  int shuffled;
  uint64 seed;
  char **names;
  int name_count;
};

static short order[COUNT_OF(entries)];  // indices of entries, as they will run
static int order_count;
static int passed, failed;
static uint64 round_seed;  // what a test's own random numbers start from

// The life of a test, in the child.
static void enter_test(const struct entry *entry, struct start *line) {
  start_wait(line);
  random_start(stamp(round_seed, (uint64)entry->name));
  if (mkdir(SCRATCH) < 0 || chdir(SCRATCH) < 0) {
    printf("\n  no scratch directory %s\n", SCRATCH);
    exit(1);
  }
  entry->run();
  exit(0);
}

// A process that only sleeps and then exits with 0.  When this returns it has all
// the memory that it will ever need, so it disturbs no test that counts frames.
static int start_clock(void) {
  int ends[2], pid;
  char nothing;
  EXPECT(pipe(ends), ==, 0);
  if ((pid = must_fork()) == 0) {
    close(ends[0]);
    close(ends[1]);
    sleep(PATIENCE);
    exit(0);
  }
  close(ends[1]);
  EXPECT(read(ends[0], &nothing, 1), ==, 0);  // its copies are closed
  close(ends[0]);
  return pid;
}

// Runs a test beside a clock, so that a test which hangs ends the wait as well.
// Returns its status and sets *late if it had to be killed.
static int run_timed(const struct entry *entry, int *late) {
  struct start line;
  int clock = start_clock();
  start_make(&line);
  int pid = must_fork();
  if (pid == 0) enter_test(entry, &line);
  start_now(&line);

  int status = -1, result = -1, done;
  *late = 0;
  while ((done = wait(&status)) >= 0) {
    if (done == pid) {
      result = status;
      kill(clock);
    } else if (done == clock && status == 0) {
      *late = 1;
      kill(pid);
    }
  }
  return result;
}

static void run_one(const struct entry *entry) {
  uint64 frames = free_frames();
  printf("test %s: ", entry->name);
  int late;
  int status = run_timed(entry, &late);
  chdir("/");
  scratch_remove();
  long missing = frames_missing(frames, GRACE);

  if (status == 0 && !late && missing == 0) {
    printf("OK\n");
    passed++;
    return;
  }
  failed++;
  if (late)
    printf("FAILED -- no end within %d seconds\n", PATIENCE / TICKS_A_SECOND);
  else if (status != 0)
    printf("FAILED -- exit status %d\n", status);
  else
    printf("FAILED -- %s %ld frames\n", missing > 0 ? "lost" : "gained",
           missing > 0 ? missing : -missing);
}

// One pass over everything that the runner does, so that each page of it, of
// init and of the kernel that is touched once and kept has been touched before
// frames are counted.
static void nothing(void) {
  if (must_fork() == 0) sleep(1);  // an orphan, for init
}

static void warm_up(void) {
  static const struct entry empty = {"nothing", nothing, 0};
  int late, processes = process_count();
  scratch_remove();  // of a run that was cut short
  run_timed(&empty, &late);
  scratch_remove();
  own_pages(order, sizeof(order));
  await_quiet(processes);
}

static int wanted(const struct options *opt, const struct entry *entry) {
  if (opt->name_count == 0) return !(opt->quick && entry->slow);
  for (int i = 0; i < opt->name_count; i++)
    if (strcmp(opt->names[i], entry->name) == 0) return 1;
  return 0;
}

static void choose(const struct options *opt) {
  for (int i = 0; i < COUNT_OF(entries); i++)
    if (wanted(opt, &entries[i])) order[order_count++] = i;
  if (!opt->shuffled) return;
  random_start(opt->seed);
  for (int left = order_count; left > 1; left--) {
    int pick = next_random() % left;
    short swap = order[pick];
    order[pick] = order[left - 1];
    order[left - 1] = swap;
  }
}

static int known(const char *name) {
  for (int i = 0; i < COUNT_OF(entries); i++)
    if (strcmp(name, entries[i].name) == 0) return 1;
  return 0;
}

// Returns 0 if the command line is not understood.
static int parse(struct options *opt, int argc, char **argv) {
  int i = 1;
  for (; i < argc && argv[i][0] == '-'; i++) {
    if (strcmp(argv[i], "-q") == 0)
      opt->quick = 1;
    else if (strcmp(argv[i], "-c") == 0)
      opt->forever = 1;
    else if (strcmp(argv[i], "-r") == 0 && i + 1 < argc)
      opt->shuffled = 1, opt->seed = atoi(argv[++i]);
    else
      return 0;
  }
  opt->names = argv + i;
  opt->name_count = argc - i;
  for (; i < argc; i++) {
    if (known(argv[i])) continue;
    printf("usertests: no test is called %s\n", argv[i]);
    return 0;
  }
  return 1;
}

int main(int argc, char **argv) {
  struct options opt = {0};
  if (argc < 1 || strcmp(argv[0], EXEC_HELPER) == 0) exit(exec_helper(argc, argv));
  if (!parse(&opt, argc, argv)) {
    printf("usage: usertests [-q] [-c] [-r SEED] [NAME ...]\n");
    exit(2);
  }

  printf("usertests starting\n");
  if (opt.shuffled) printf("seed %ld\n", (long)opt.seed);
  choose(&opt);
  round_seed = opt.seed;
  chdir("/");
  warm_up();
  int begin = uptime();
  do {
    for (int i = 0; i < order_count; i++) run_one(&entries[order[i]]);
    round_seed++;
  } while (opt.forever && failed == 0);

  int ticks = uptime() - begin;
  printf("%d passed, %d failed, %d.%d seconds\n", passed, failed, ticks / TICKS_A_SECOND,
         ticks % TICKS_A_SECOND);
  printf(failed ? "SOME TESTS FAILED\n" : "ALL TESTS PASSED\n");
  exit(failed != 0);
}
