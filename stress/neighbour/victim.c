// The victim: measures its own operations, alone and in company.
#include "stress/neighbour/neighbour.h"

#include "kernel/fcntl.h"
#include "kernel/memstat.h"

#define SAMPLES_MOST   1024  // kept, for the median
#define SAMPLES_LEAST  5
#define READ_SIZE      4096
#define SCARCE         64    // frames
#define PATIENCE       100   // ticks until there are no more
#define OWN_FILE       "victim.tmp"

static char buffer[READ_SIZE];
static int own_pipe[2];
static int hungry, failed;
static uint64 getpid_ended;  // the last one

static void must(int ok) { failed += !ok; }

// --- What it does ---

// Counted from the end of the one before, so that nothing is missed: the worst is also
// the longest time for which the victim did not run.
static uint64 cost_of_getpid(void) {
  getpid();
  uint64 end = now(), cost = end - getpid_ended;
  getpid_ended = end;
  return cost;
}

// The first touch of a page.  Where that may kill for want of memory, growth that makes
// the page at once and says so when there is none: the same work.
static uint64 cost_of_touch(void) {
  uint64 begin = now(), cost;
  volatile char *page = hungry ? sbrkeager(PGSIZE) : sbrk(PGSIZE);
  int ok = page != SBRK_ERROR;
  if (!hungry && ok) {
    begin = now();
    *page = 1;
  }
  cost = now() - begin;
  must(ok);
  if (ok) sbrk(-PGSIZE);
  return cost;
}

static uint64 cost_of_fork(void) {
  uint64 begin = now();
  int pid = fork();
  if (pid == 0) exit(0);
  must(pid > 0 && wait(0) == pid);
  return now() - begin;
}

static uint64 cost_of_open(void) {
  uint64 begin = now();
  int fd = open("/README.md", O_RDONLY);
  must(fd >= 0 && close(fd) == 0);
  return now() - begin;
}

static uint64 cost_of_read(void) {
  int fd = open("/README.md", O_RDONLY);
  uint64 begin = now();
  must(read(fd, buffer, READ_SIZE) == READ_SIZE);
  uint64 cost = now() - begin;
  if (fd >= 0) close(fd);
  return cost;
}

static uint64 cost_of_pipe(void) {
  uint64 begin = now();
  must(write(own_pipe[1], buffer, 1) == 1 && read(own_pipe[0], buffer, 1) == 1);
  return now() - begin;
}

static uint64 cost_of_create(void) {
  uint64 begin = now();
  int fd = open(OWN_FILE, O_CREATE | O_RDWR);
  must(fd >= 0 && close(fd) == 0 && unlink(OWN_FILE) == 0);
  return now() - begin;
}

// fork waits for the child to get a hart, and then for its own again.  Without memory
// it may be the victim itself that dies, at its first write after fork.
const struct operation operations[] = {
    {"getpid", 0, 1, cost_of_getpid}, {"touch", 0, 1, cost_of_touch},
    {"fork", 2, 0, cost_of_fork},     {"open", 0, 1, cost_of_open},
    {"read", 0, 1, cost_of_read},     {"pipe", 0, 1, cost_of_pipe},
    {"create", 0, 1, cost_of_create},
};
const int operation_count = COUNT_OF(operations);

// --- How it is measured ---

static struct {
  uint64 at[SAMPLES_MOST];
  int kept;
  uint64 every, seen;  // one of so many is kept
} samples;

// All of them count alike for the median, however many there are: when there is no
// room each second one goes.
static void keep(uint64 cost) {
  if (samples.seen++ % samples.every != 0) return;
  if (samples.kept == SAMPLES_MOST) {
    samples.kept /= 2;
    for (int i = 0; i < samples.kept; i++) samples.at[i] = samples.at[2 * i];
    samples.every *= 2;
    if ((samples.seen - 1) % samples.every != 0) return;
  }
  samples.at[samples.kept++] = cost;
}

static uint64 median(void) {
  for (int i = 1; i < samples.kept; i++) {
    uint64 one = samples.at[i];
    int k = i;
    for (; k > 0 && samples.at[k - 1] > one; k--) samples.at[k] = samples.at[k - 1];
    samples.at[k] = one;
  }
  return samples.at[samples.kept / 2];
}

static void measure(int number, enum phase phase, uint64 window, int out) {
  struct result r = {.phase = phase, .operation = number};
  samples.kept = samples.seen = failed = 0;
  samples.every = 1;
  for (uint64 end = now() + window; samples.seen < SAMPLES_LEAST || now() < end;) {
    uint64 cost = operations[number].cost();
    if (cost > r.worst) r.worst = cost;
    keep(cost);
  }
  r.samples = samples.seen;
  r.median = median();
  r.failed = failed;
  if (write(out, &r, sizeof(r)) != sizeof(r)) exit(1);
}

static void measure_all(const struct adversary *a, enum phase phase, uint64 window, int out) {
  for (int i = 0; i < operation_count; i++)
    if (!a->hungry || operations[i].hungry) measure(i, phase, window, out);
}

static void await_scarcity(void) {
  struct memstat m;
  for (int i = 0; i < PATIENCE && memstat(&m) == 0 && m.free > SCARCE; i++) sleep(1);
}

void be_victim(const struct adversary *a, int out, int gate) {
  hungry = a->hungry;
  if (pipe(own_pipe) < 0) exit(1);
  own_pages();
  getpid_ended = now();
  measure_all(a, ALONE, plan.cores ? 10 * TURN : TURN, out);
  getpid_ended = await_start(gate);
  measure_all(a, SHARED, plan.rounds * round_of(a), out);
  getpid_ended = await_start(gate);
  if (hungry) {
    await_scarcity();
    getpid_ended = now();
  }
  measure_all(a, CROWDED, plan.rounds * round_of(a), out);
  exit(0);
}
