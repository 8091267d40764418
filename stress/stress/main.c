// stress: many processes that do everything at once, checked to the byte.
//
//   stress [-t SECONDS] [-s SEED] [-w WORKERS]
//
// The supervisor (this file) keeps WORKERS slots.  Each has a keeper, which forks
// a worker of the slot's kind and, when that ends, tells the supervisor and forks
// the next.  The supervisor kills a worker now and then, sees to it that all of
// them get on, and at the end that no process, page or file is left.
#include "stress/stress/stress.h"

#include "stress/stress/record.h"

#define WORKERS_MOST   120
#define FRAMES_LEAST   250                    // of memory for a worker
#define PATIENCE       (60 * TICKS_A_SECOND)  // without a word from a worker
#define GRACE          (5 * TICKS_A_SECOND)   // until the last frame is back

static const struct {
  const char *name;
  void (*operation)(void);
} kinds[KINDS] = {
    [HEAP] = {"heap", heap_operation},    [SPARSE] = {"sparse", sparse_operation},
    [FORKS] = {"forks", forks_operation}, [KILLS] = {"kills", kills_operation},
    [PIPES] = {"pipes", pipes_operation}, [EXECS] = {"execs", execs_operation},
    [FILES] = {"files", files_operation},
};

static struct {
  int pid;     // of the worker; 0 between two
  int killed;  // by the supervisor
  int heard;   // when it said something last
  int bad;     // a life of it went wrong
} slots[WORKERS_MOST];

static struct {
  long operations;
  int lives, killed;
} totals[KINDS];

static int workers = 12, seconds = 10, deadline;
static uint64 seed;
static int report[2], alive[2];  // alive: held open by all keepers and what they fork

static int kind_of(int slot) { return slot % KINDS; }

// --- Helpers of the supervisor ---

static void work(int slot, int life, uint64 frames) {
  close(report[0]);
  close(alive[0]);
  random_start(seed * 1000003 + slot * 4096 + life);
  me = (struct worker){.slot = slot, .frames = frames, .deadline = deadline, .report = report[1]};
  me.owner = new_owner();
  for (;;) {
    kinds[kind_of(slot)].operation();
    operation_done();
  }
}

static void keep(int slot, uint64 frames) {
  for (int life = 0; uptime() < deadline; life++) {
    int status = 0, pid = fork();
    if (pid == 0) work(slot, life, frames);
    if (pid < 0) {
      sleep(1);
      continue;
    }
    record_send(report[1], STARTED, slot, pid);
    CHECK(wait(&status) == pid, "the worker of slot %d is lost", slot);
    record_send(report[1], ENDED, slot, status);
  }
  exit(0);
}

static void tick_for_ever(void) {
  close(alive[0]);
  close(alive[1]);
  close(report[0]);
  for (;;) {
    sleep(1);
    record_send(report[1], TICK, 0, 0);
  }
}

static void watch_for_the_end(void) {
  char nothing;
  close(alive[1]);
  close(report[0]);
  read(alive[0], &nothing, 1);  // ends with the last copy of the other end
  record_send(report[1], GONE, 0, 0);
  exit(0);
}

// --- The supervisor ---

static void worker_ended(int slot, int status) {
  int starved = memstat_now().free < 64;
  if (status != 0 && !(status == KILLED && (slots[slot].killed || starved))) {
    printf("stress: worker %d (%s) ended with %d\n", slot, kinds[kind_of(slot)].name, status);
    slots[slot].bad = 1;
  }
  totals[kind_of(slot)].lives++;
  totals[kind_of(slot)].killed += slots[slot].killed;
  slots[slot].pid = 0;
}

// Kills a worker now and then, and any that has not been heard of for too long.
static void on_tick(int now) {
  int victim = below(2 * workers);
  if (victim < workers && slots[victim].pid && now < deadline) {
    spin(50000);  // not always at the tick
    slots[victim].killed |= kill(slots[victim].pid) == 0;
  }
  for (int i = 0; i < workers; i++) {
    if (slots[i].pid == 0 || now - slots[i].heard < PATIENCE) continue;
    printf("stress: worker %d (%s) makes no progress\n", i, kinds[kind_of(i)].name);
    slots[i].bad = 1;
    slots[i].killed |= kill(slots[i].pid) == 0;
    slots[i].heard = now;
  }
}

// Until nothing is left that a keeper or a worker forked.  Returns 0 if that
// does not happen.
static int supervise(void) {
  struct record r;
  while (uptime() < deadline + 2 * PATIENCE) {
    CHECK(read(report[0], &r, sizeof(r)) == sizeof(r), "the workers cannot be heard");
    CHECK(r.type >= TICK && r.type <= GONE && r.slot < WORKERS_MOST, "record %d of slot %d", r.type,
          r.slot);
    int now = uptime();
    slots[r.slot].heard = r.type == TICK ? slots[r.slot].heard : now;
    switch (r.type) {
      case TICK: on_tick(now); break;
      case STARTED:
        slots[r.slot].pid = r.value;
        slots[r.slot].killed = 0;
        break;
      case PROGRESS: totals[kind_of(r.slot)].operations += r.value; break;
      case ENDED: worker_ended(r.slot, r.value); break;
      default: return 1;
    }
  }
  return 0;
}

// Everything that the supervisor, init and the kernel touch once and then keep is
// touched before frames are counted.
static void warm_up(void) {
  memset(slots, 0, sizeof(slots));
  memset(totals, 0, sizeof(totals));
  if (must_fork() == 0) {
    if (must_fork() == 0) sleep(1);  // an orphan
    exit(0);
  }
  must_wait(0);
  unlink(PLACE);
  CHECK(mkdir(PLACE) == 0, "there is something at %s", PLACE);
  CHECK(unlink(PLACE) == 0, "%s does not go", PLACE);
  sleep(3);
}

// Starts everything, and ends it.  Returns whether all processes ended.
static int run(uint64 frames) {
  int pids[WORKERS_MOST], helpers[2];
  CHECK(pipe(report) == 0 && pipe(alive) == 0, "no pipe");
  CHECK(mkdir(PLACE) == 0, "there is something at %s", PLACE);
  deadline = uptime() + seconds * TICKS_A_SECOND;
  if ((helpers[0] = must_fork()) == 0) tick_for_ever();
  if ((helpers[1] = must_fork()) == 0) watch_for_the_end();
  for (int i = 0; i < workers; i++) {
    slots[i].heard = uptime();
    if ((pids[i] = must_fork()) == 0) keep(i, frames);
  }
  close(alive[0]);
  close(alive[1]);
  close(report[1]);
  int all_gone = supervise();
  for (int i = 0; i < workers && !all_gone; i++) {
    kill(pids[i]);
    if (slots[i].pid) kill(slots[i].pid);
  }
  for (int i = 0; i < 2; i++) kill(helpers[i]);
  close(report[0]);
  for (int pid, status; (pid = wait(&status)) >= 0;)
    for (int i = 0; i < workers; i++)
      if (pids[i] == pid && status != 0) slots[i].bad = 1;  // a keeper
  return all_gone;
}

static void remove_files(void) {
  char path[40] = PLACE "/worker-Aa0";
  int at = strlen(path);
  for (int i = 0; i < 2 * workers; i++) {
    path[at - 3] = 'A' + i / 2 / 26 % 26;
    path[at - 2] = 'a' + i / 2 % 26;
    path[at - 1] = '0' + i % 2;
    unlink(path);
  }
  unlink(PLACE);
}

static uint64 free_after_a_while(uint64 wanted) {
  uint64 now;
  for (int i = 0; (now = free_frames()) != wanted && i < GRACE; i++) sleep(1);
  return now;
}

static int parse(int argc, char **argv) {
  for (int i = 1; i < argc; i += 2) {
    if (argv[i][0] != '-' || argv[i][1] == 0 || argv[i][2] != 0 || i + 1 == argc) return 0;
    int value = atoi(argv[i + 1]);
    switch (argv[i][1]) {
      case 't': seconds = value; break;
      case 's': seed = value; break;
      case 'w': workers = value; break;
      default: return 0;
    }
  }
  return seconds > 0 && workers > 0;
}

static void print_totals(void) {
  for (int k = 0; k < KINDS && k < workers; k++)
    printf("%s: %ld operations, %d lives, %d killed\n", kinds[k].name, totals[k].operations,
           totals[k].lives, totals[k].killed);
}

int main(int argc, char **argv) {
  if (argc > 1 && strcmp(argv[1], "--child") == 0) return exec_child(argc, argv);
  seed = uptime() * 7919 + getpid();
  if (!parse(argc, argv)) {
    printf("usage: stress [-t SECONDS] [-s SEED] [-w WORKERS]\n");
    return 2;
  }
  remove_files();
  random_start(seed);
  warm_up();
  uint64 before = free_frames();
  if (workers > WORKERS_MOST) workers = WORKERS_MOST;
  if ((uint64)workers > before / FRAMES_LEAST) workers = before / FRAMES_LEAST;
  if (workers < 1) workers = 1;
  uint64 frames = before / 10 * 6 / workers;
  printf("stress: seed %ld, %d seconds, %d workers of %ld frames\n", seed, seconds, workers,
         frames);

  int all_gone = run(frames), passed = 0;
  remove_files();
  print_totals();
  uint64 after = free_after_a_while(before);
  printf("free frames: %ld before, %ld after\n", before, after);
  if (!all_gone) printf("stress: there are processes left\n");
  for (int i = 0; i < workers; i++) passed += !slots[i].bad;
  passed += all_gone + (before == after);
  int failed = workers + 2 - passed;
  printf("%d passed, %d failed\n", passed, failed);
  return failed != 0;
}
