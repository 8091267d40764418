// neighbour: what a process pays for what others do.
//
//   neighbour ADVERSARY HARTS CORES ROUNDS LIMIT
//
// A victim measures the median and worst of its own operations while it has the machine
// to itself, and then while an ADVERSARY works against it (adversary.c lists them).
// HARTS is how many there are, CORES how many real ones they share: 0 when they run in
// turn, under -icount.  An operation is measured for so many ROUNDS (neighbour.h).  What
// is not done LIMIT tenths of a second after all should be has not ended.
//
// A row of output is an operation: its median and worst alone, both in company, the
// bounds of both (neighbour.h derives them), how often it was done, how many of its calls
// failed.  Figures are nanoseconds, which under -icount are instructions of all harts.
// A row over its bound, or missing, is a failure.
//
// As the first program (boot option init=/neighbour) it takes its arguments from the file
// nbargs, and powers off at the end.
#include "stress/neighbour/neighbour.h"

#include "kernel/fcntl.h"
#include "kernel/procinfo.h"
#include "stress/measure.h"

#define PROCESSES_MOST  64
#define PATIENCE        100  // ticks until the adversary has ended

struct plan plan;

static int reports[2], gate[2];
static int pids[PROCESSES_MOST + 2], started;  // victim, clock, adversary
static int before;  // processes
static struct result alone[OPERATIONS_MOST], shared[OPERATIONS_MOST], crowded[OPERATIONS_MOST];

static char first_data = 1;  // keeps .data from being empty

void own_pages(void) {
  extern char end[];
  volatile char on_stack = 1;
  for (uint64 at = PGROUNDDOWN((uint64)&first_data); at < (uint64)end; at += PGSIZE) {
    volatile char *byte = (volatile char *)at;
    *byte = *byte;
  }
  (void)on_stack;
}

static __attribute__((noreturn)) void fail(const char *what) {
  printf("neighbour: %s\n", what);
  measure_end("neighbour", 0);
}

// --- Bounds ---

static uint64 larger(uint64 a, uint64 b) { return a > b ? a : b; }

// The longest for which the victim did not run among processes that only spin.
static uint64 longest_round(void) {
  uint64 longest = 0;
  for (int i = 0; i < operation_count; i++)
    if (operations[i].waits == 0) longest = larger(longest, shared[i].worst);
  return longest;
}

static uint64 worst_bound(const struct adversary *a, int i) {
  uint64 round = larger(round_of(a), longest_round());
  return TOLERATED * (alone[i].worst * sharing() + (1 + operations[i].waits) * round);
}

static uint64 median_bound(const struct adversary *a, int i) {
  uint64 derived = alone[i].median + operations[i].waits * round_of(a);
  return TOLERATED * larger(derived, shared[i].median);
}

// Ticks, if each operation took its window and one of them more, as long as it may.
static int ticks_needed(const struct adversary *a) {
  uint64 sum = 0;
  for (int i = 0; i < operation_count; i++) sum += plan.rounds * round_of(a) + worst_bound(a, i);
  return sum / (TURN * 10) + 1;
}

// --- Processes ---

// The child's pid, which `finish` kills; 0 in the child.
static int start(void) {
  int pid = fork();
  if (pid < 0) fail("no process");
  if (pid > 0) pids[started++] = pid;
  return pid;
}

// Processes that have not ended, for the table that one frame holds.
static int living(void) {
  static struct procinfo rows[PGSIZE / sizeof(struct procinfo)];
  int n = proclist(rows, COUNT_OF(rows)), alive = 0;
  for (int i = 0; i < n; i++) alive += rows[i].state != 'Z';
  return alive;
}

uint64 await_start(int fd) {
  uint64 begin;
  if (read(fd, &begin, sizeof(begin)) != sizeof(begin)) exit(1);
  while (now() < begin) continue;
  return begin;
}

static void lead(const struct adversary *a, int which) {
  struct result ready = {.phase = READY};
  if (a->prepare) a->prepare();
  own_pages();
  write(reports[1], &ready, sizeof(ready));
  await_start(gate[0]);
  a->attack(which);
  exit(1);
}

static void keep_time(const struct adversary *a) {
  struct result timeout = {.phase = TIMEOUT};
  sleep(ticks_needed(a) + plan.limit);
  write(reports[1], &timeout, sizeof(timeout));
  exit(0);
}

static struct result hear(void) {
  struct result r;
  if (read(reports[0], &r, sizeof(r)) != sizeof(r)) fail("nothing is heard");
  return r;
}

static int count_of(const struct adversary *a) {
  int n = 0;
  for (int i = 0; i < operation_count; i++) n += !a->hungry || operations[i].hungry;
  return n;
}

static void hear_all(const struct adversary *a, struct result *results) {
  for (int left = count_of(a); left > 0; left--) {
    struct result r = hear();
    results[r.operation] = r;
  }
}

// The beginning for n processes that wait at the gate.
static void open_gate(const struct adversary *a, int n) {
  uint64 begin = now() + 2 * round_of(a) + 2 * TURN;
  for (int i = 0; i < n; i++) write(gate[1], &begin, sizeof(begin));
}

static __attribute__((noreturn)) void spin_for_ever(void) {
  await_start(gate[0]);
  for (;;) continue;
}

// The victim among as many processes as the adversary has threads, which only spin.
static void share(const struct adversary *a) {
  int n = processes_of(a) * a->threads;
  for (int i = 0; i < n; i++)
    if (start() == 0) spin_for_ever();
  own_pages();
  open_gate(a, n + 1);
  hear_all(a, shared);
  for (int i = 0; i < n; i++) kill(pids[--started]);
  for (int i = 0; i < n; i++) wait(0);
}

// Alone, then in company.  All are awake and spin when it begins: a victim that had to be
// woken for it might sleep until the worst is over.
static void run(const struct adversary *a) {
  if (start() == 0) be_victim(a, reports[1], gate[0]);
  hear_all(a, alone);
  share(a);
  for (int i = 0; i < processes_of(a); i++)
    if (start() == 0) lead(a, i);
  for (int left = processes_of(a); left > 0; left--) hear();
  printf("neighbour: %s on %d harts, q = %lu\n", a->name, plan.harts, turns_of(a));
  own_pages();
  open_gate(a, processes_of(a) + 1);
  if (start() == 0) keep_time(a);
  for (int left = count_of(a); left > 0; left--) {
    struct result r = hear();
    if (r.phase == TIMEOUT) break;
    crowded[r.operation] = r;
  }
}

// --- Judging ---

// Returns whether the row is as it should be.
static int print_row(const struct adversary *a, int i) {
  const struct result *r = &crowded[i];
  uint64 worst = worst_bound(a, i), middle = median_bound(a, i);
  printf("%-8s %10lu %10lu %10lu %10lu bounds %10lu %10lu, %lu times, %d failed\n",
         operations[i].name, alone[i].median, alone[i].worst, r->median, r->worst, middle, worst,
         r->samples, r->failed);
  if (r->samples == 0) {
    printf("neighbour: %s against %s: did not end\n", operations[i].name, a->name);
    return 0;
  }
  if (r->median > middle)
    printf("neighbour: %s against %s: the median is over its bound\n", operations[i].name, a->name);
  if (r->worst > worst)
    printf("neighbour: %s against %s: the worst is over its bound\n", operations[i].name, a->name);
  int failed = r->failed > 0 && !a->hungry;
  if (failed) printf("neighbour: %s against %s: calls failed\n", operations[i].name, a->name);
  return r->median <= middle && r->worst <= worst && !failed;
}

static __attribute__((noreturn)) void finish(const struct adversary *a) {
  int ok = 1;
  for (int i = 0; i < started; i++) kill(pids[i]);
  for (int i = 0; i < PATIENCE && living() > before; i++) sleep(1);
  for (int i = 0; i < operation_count; i++)
    if (!a->hungry || operations[i].hungry) ok &= print_row(a, i);
  for (int i = 0; i < started && !is_first(); i++) wait(0);
  measure_end("neighbour", ok);
}

// --- What is to be done ---

static char text[128];

// The file's words in argv; how many.
static int read_arguments(char **argv, int most) {
  int n = 0, fd = open("nbargs", O_RDONLY);
  if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0) fail("no file nbargs");
  close(fd);
  for (char *at = text; *at && n < most;) {
    while (*at == ' ' || *at == '\n') *at++ = 0;
    if (*at) argv[n++] = at;
    while (*at && *at != ' ' && *at != '\n') at++;
  }
  return n;
}

int main(int argc, char **argv) {
  static char *words[6];
  measure_begin();
  if (is_first()) {
    argc = 1 + read_arguments(words + 1, 5);
    argv = words;
  }
  const struct adversary *a = argc == 6 ? find_adversary(argv[1]) : 0;
  if (a == 0) {
    list_adversaries();
    fail("usage: neighbour ADVERSARY HARTS CORES ROUNDS LIMIT");
  }
  plan = (struct plan){.harts = atoi(argv[2]), .cores = atoi(argv[3]),
                       .rounds = atoi(argv[4]), .limit = atoi(argv[5])};
  if (plan.harts < 1 || processes_of(a) > PROCESSES_MOST) fail("too many harts, or none");
  if (pipe(reports) < 0 || pipe(gate) < 0) fail("no pipe");
  before = living();
  run(a);
  finish(a);
}
