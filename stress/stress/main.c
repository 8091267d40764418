// stress: many processes that do everything at once, checked to the byte.
//
//   stress [-s SEED] [-t SECONDS] [-w WORKERS] [-l] [NAME...]
//
// Runs the storms that are named, spread over WORKERS slots; without a name those
// that get on with each other, mixed: all but oomstorm, which takes the memory of
// everyone, and fuzz, which takes it at times and makes the kernel print.  -l
// lists them.  Afterwards no process, page or file may be left.
//
// The output: a line with the seed, one for each storm, the free frames, and
// `N passed, N failed` of the workers, the end of all processes, and the frames.
#include "stress/stress/stress.h"

#include "kernel/fs.h"
#include "stress/stress/run.h"

#define GRACE  (5 * TICKS_A_SECOND)  // until the last frame is back

static const struct storm storms[] = {
    {"lazystorm", lazystorm_operation, 0, 0, "first touches, in a heap and over 255 GB"},
    {"cowstorm", cowstorm_operation, 0, 0, "trees of processes that write shared pages"},
    {"copystorm", copystorm_operation, 0, 0, "calls with buffers across pages of all kinds"},
    {"pipestorm", pipestorm_operation, 0, 0, "pipelines"},
    {"execstorm", execstorm_operation, 0, 0, "programs with arguments in lazy and COW pages"},
    {"killstorm", killstorm_operation, 0, 0, "kills in fork, exec, fault, pipe and disk"},
    {"fsstorm", fsstorm_operation, 0, 0, "files, links and directories"},
    {"threadstorm", threadstorm_operation, 0, 0, "threads that fault, shrink, fork, exec and end"},
    {"tlbstorm", tlbstorm_operation, 0, 0, "hunters of stale translations"},
    {"futexstorm", futexstorm_operation, SPARED, 0, "sleeps and wakes, no wakeup lost"},
    {"oomstorm", oomstorm_operation, APART | HUNGRY | SPARED, 1, "no memory left, again and again"},
    {"fuzz", fuzz_operation, APART | HUNGRY | SPARED, 0, "random calls with hostile arguments"},
};

static const struct storm *chosen[COUNT_OF(storms)];
static struct order order = {.workers = 12, .seconds = 10, .storms = chosen};

// Empties the current directory.  What is deeper than any storm makes stays.
static void remove_all(int depth) {
  struct {
    struct dirent entry;
    char nul;  // a name may fill its field
  } d;
  int fd = open(".", O_RDONLY);
  d.nul = 0;
  while (fd >= 0 && read(fd, &d.entry, sizeof(d.entry)) == sizeof(d.entry)) {
    char *name = d.entry.name;
    if (d.entry.inum == 0 || strcmp(name, ".") == 0 || strcmp(name, "..") == 0) continue;
    if (unlink(name) == 0 || depth == 0 || chdir(name) < 0) continue;
    remove_all(depth - 1);
    chdir("..");
    unlink(name);
  }
  close(fd);
}

static void remove_files(void) {
  if (chdir(PLACE) < 0) return;
  remove_all(9);
  chdir("/");
  unlink(PLACE);
}

// Everything that the supervisor, init and the kernel touch once and then keep is
// touched before frames are counted.
static void warm_up(void) {
  int processes = process_count();
  own_pages();
  if (must_fork() == 0) {
    if (must_fork() == 0) sleep(1);  // an orphan
    exit(0);
  }
  must_wait(0);
  remove_files();
  CHECK(mkdir(PLACE) == 0, "there is something at %s", PLACE);
  CHECK(unlink(PLACE) == 0, "%s does not go", PLACE);
  await_quiet(processes);
}

static uint64 free_after_a_while(uint64 wanted) {
  uint64 now;
  for (int i = 0; (now = free_frames()) != wanted && i < GRACE; i++) sleep(1);
  return now;
}

static int list_storms(void) {
  for (int i = 0; i < COUNT_OF(storms); i++)
    printf("%s: %s%s\n", storms[i].name, storms[i].what,
           storms[i].flags & APART ? " (only by name)" : "");
  return 0;
}

static int choose(const char *name) {
  for (int i = 0; i < COUNT_OF(storms); i++) {
    if (strcmp(name, storms[i].name) != 0) continue;
    for (int k = 0; k < order.count; k++)
      if (chosen[k] == &storms[i]) return 1;
    chosen[order.count++] = &storms[i];
    return 1;
  }
  fprintf(2, "stress: there is no storm called `%s`; -l lists them\n", name);
  return 0;
}

static void choose_mix(void) {
  for (int i = 0; i < COUNT_OF(storms); i++)
    if (!(storms[i].flags & APART)) chosen[order.count++] = &storms[i];
}

// Returns 0 when the arguments make no sense.
static int parse(int argc, char **argv) {
  for (int i = 1; i < argc; i++) {
    if (argv[i][0] != '-') {
      if (!choose(argv[i])) return 0;
      continue;
    }
    if (argv[i][1] == 0 || argv[i][2] != 0 || i + 1 == argc) return 0;
    int value = atoi(argv[++i]);
    switch (argv[i - 1][1]) {
      case 't': order.seconds = value; break;
      case 's': order.seed = value; break;
      case 'w': order.workers = value; break;
      default: return 0;
    }
  }
  if (order.count == 0) choose_mix();
  return order.seconds > 0 && order.workers > 0;
}

int main(int argc, char **argv) {
  if (argc > 1 && strcmp(argv[1], "--child") == 0) return exec_child(argc, argv);
  if (argc > 1 && strcmp(argv[1], "--victim") == 0) return exec_victim(argc, argv);
  if (argc == 2 && strcmp(argv[1], "-l") == 0) return list_storms();
  order.seed = uptime() * 7919 + getpid();
  if (!parse(argc, argv)) {
    printf("usage: stress [-s SEED] [-t SECONDS] [-w WORKERS] [-l] [NAME...]\n");
    return 2;
  }
  random_start(order.seed);
  warm_up();
  uint64 before = free_frames();
  share_out(&order, before);
  printf("stress: seed %ld, %d seconds, %d workers of %ld frames\n", order.seed, order.seconds,
         order.workers, order.frames);

  struct result result = run(&order);
  remove_files();
  print_totals(&order);
  uint64 after = free_after_a_while(before);
  printf("free frames: %ld before, %ld after\n", before, after);
  if (!result.all_gone) printf("stress: there are processes left\n");
  int failed = result.bad + !result.all_gone + (before != after);
  printf("%d passed, %d failed\n", order.workers + 2 - failed, failed);
  return failed != 0;
}
