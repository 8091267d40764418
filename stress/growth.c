// growth: how the cost of an operation grows with what it ought to grow with, and
// does not with what it ought not to.
//
// Each row is a point: `CURVE @ X`, and the instructions at that X.  What the curves
// are and what X counts is told in stress/growthrun.py, which draws them.
#include "stress/measure.h"
#include "kernel/atomic.h"
#include "kernel/futex.h"
#include "kernel/param.h"
#include "user/testlib.h"

#define MOST_SAMPLES  5
#define MOST_THREADS  8

static uint64 sample[MOST_SAMPLES];

static void fail(const char *what) {
  printf("growth: %s failed\n", what);
  measure_end("growth", 0);
}

static void point(const char *curve, long x, int samples) {
  static char name[64];
  char digits[20], *end = name;
  int n = 0;
  for (const char *c = curve; *c; c++) *end++ = *c;
  for (const char *c = " @ "; *c; c++) *end++ = *c;
  do digits[n++] = '0' + x % 10;
  while ((x /= 10) > 0);
  while (n > 0) *end++ = digits[--n];
  *end = 0;
  report(name, sample, samples);
}

static char *move_break(long bytes) {
  char *old = sbrk_by(bytes);
  if (old == SBRK_ERROR) fail("sbrk");
  return old;
}

static void touch(volatile char *p, long bytes, long step) {
  for (long at = 0; at < bytes; at += step) p[at] = 1;
}

static void make_pipe(int *fds) {
  if (pipe(fds) < 0) fail("pipe");
}

static void close_pipe(const int *fds) {
  close(fds[0]);
  close(fds[1]);
}

// --- fork against resident memory -------------------------------------------

static void fork_at(long mib) {
  uint64 whole[MOST_SAMPLES];
  char *p = move_break(mib * MIB);
  touch(p, mib * MIB, PGSIZE);
  for (int i = 0; i < MOST_SAMPLES; i++) {
    uint64 begin = instructions();
    if (must_fork() == 0) exit(0);
    sample[i] = instructions() - begin;
    wait(0);
    whole[i] = instructions() - begin;
  }
  point("fork call", mib, MOST_SAMPLES);
  for (int i = 0; i < MOST_SAMPLES; i++) sample[i] = whole[i];
  point("fork+exit+wait", mib, MOST_SAMPLES);
  move_break(-mib * MIB);
}

static void grow_fork(void) {
  fork_at(1);
  fork_at(2);
  for (long mib = 4; mib <= 64; mib += 4) fork_at(mib);
}

// --- address space, most of it empty ----------------------------------------

// The heap that is measured: nothing in it is touched, or one page in each 2 MiB.
static char *make_heap(long mib, int touched) {
  char *p = move_break(mib * MIB);
  if (touched) touch(p, mib * MIB, 2 * MIB);
  return p;
}

// The break moves by an int: of more than 1 GiB each is given back by a call of its
// own, so an untouched heap of that size would be about the calls.
static void fork_and_shrink_at(const char *forking, const char *shrinking, long mib, int touched) {
  make_heap(mib, touched);
  uint64 begin = instructions();
  if (must_fork() == 0) exit(0);
  sample[0] = instructions() - begin;
  wait(0);
  point(forking, mib, 1);
  begin = instructions();
  move_break(-mib * MIB);
  sample[0] = instructions() - begin;
  if (touched || mib <= 1024) point(shrinking, mib, 1);
}

// The child tells when it began to end.  Also in the sample: one write to a pipe.
static void exit_at(const char *curve, long mib, int touched) {
  uint64 begin;
  int fds[2];
  make_pipe(fds);
  if (must_fork() == 0) {
    make_heap(mib, touched);
    begin = instructions();
    write(fds[1], &begin, sizeof(begin));
    exit(0);
  }
  wait(0);
  sample[0] = instructions();
  if (read(fds[0], &begin, sizeof(begin)) != sizeof(begin)) fail("exit");
  sample[0] -= begin;
  close_pipe(fds);
  point(curve, mib, 1);
}

static void grow_sparse(void) {
  for (long mib = 64; mib <= 65536; mib *= 2) {
    fork_and_shrink_at("fork call, untouched", "shrink, untouched", mib, 0);
    fork_and_shrink_at("fork call, sparse", "shrink, sparse", mib, 1);
    exit_at("exit, untouched", mib, 0);
    exit_at("exit, sparse", mib, 1);
  }
}

// --- faults against threads -------------------------------------------------

#define FAULTS  16384  // of all threads together
#define CHUNK   16     // pages that a thread touches in its turn

static char stacks[MOST_THREADS][PGSIZE] __attribute__((aligned(PGSIZE)));

static struct {
  char *heap;
  int threads;
  int turn[MOST_THREADS];  // how many turns each has been given
} job;

static void give_turn(int n) {
  job.turn[n]++;
  futex(&job.turn[n], FUTEX_WAKE, 1);
}

// Each thread has a part of the heap, and they go on in turns.
static void touch_part(void *which, void *unused) {
  long me = (long)which, pages = FAULTS / job.threads;
  char *part = job.heap + me * pages * PGSIZE;
  (void)unused;
  for (long done = 0; done < pages; done += CHUNK) {
    int turn = done / CHUNK;
    while (atomic_load_acquire(&job.turn[me]) == turn)
      futex(&job.turn[me], FUTEX_WAIT, turn);
    touch(part + done * PGSIZE, (pages - done < CHUNK ? pages - done : CHUNK) * PGSIZE, PGSIZE);
    give_turn((me + 1) % job.threads);
  }
  exit(0);
}

// What it costs to let them touch the heap, and to wait for their end.
static uint64 run_threads(void) {
  memset(job.turn, 0, sizeof(job.turn));
  for (long i = 0; i < job.threads; i++)
    if (clone(touch_part, (void *)i, 0, stacks[i]) < 0) fail("clone");
  sleep(1);  // until all wait
  uint64 begin = instructions();
  give_turn(0);
  for (int i = 0; i < job.threads; i++)
    if (join(0) < 0) fail("join");
  return instructions() - begin;
}

// The second time no touch is a fault, and all else is the same.
static void fault_at(int threads) {
  job.threads = threads;
  job.heap = move_break(FAULTS * PGSIZE);
  uint64 first = run_threads(), second = run_threads();
  sample[0] = (first - second) / (FAULTS / threads * threads);
  point("fault", threads, 1);
  move_break(-FAULTS * PGSIZE);
}

static void grow_threads(void) {
  for (int threads = 1; threads <= MOST_THREADS; threads++) fault_at(threads);
}

// --- processes against processes --------------------------------------------

#define ROUNDS  50

// One end of a ping-pong: who has `first` begins.
static void play(int in, int out, int rounds, int first) {
  char byte = 0;
  for (int i = 0; i < rounds; i++) {
    if (first) write(out, &byte, 1);
    if (read(in, &byte, 1) != 1) fail("ping-pong");
    if (!first) write(out, &byte, 1);
  }
}

// Two processes, the caller one of them; returns after so many round trips.
static uint64 ping_pong(int rounds) {
  int there[2], back[2];
  make_pipe(there);
  make_pipe(back);
  if (must_fork() == 0) {
    play(there[0], back[1], rounds + 1, 0);
    exit(0);
  }
  play(back[0], there[1], 1, 1);
  uint64 begin = instructions();
  play(back[0], there[1], rounds, 1);
  uint64 cost = instructions() - begin;
  wait(0);
  close_pipe(there);
  close_pipe(back);
  return cost;
}

// Fills the system with `n` processes that sleep, in read or by the clock.
static int pids[NPROC];
static int bed[2];

static void populate(int n, int ticks) {
  char byte;
  for (int i = 0; i < n; i++) {
    if ((pids[i] = must_fork()) != 0) continue;
    if (ticks > 0) sleep(ticks);
    read(bed[0], &byte, 1);
    exit(0);
  }
  sleep(1);  // until all sleep
}

static void clear_out(int n) {
  for (int i = 0; i < n; i++) kill(pids[i]);
  for (int i = 0; i < n; i++) wait(0);
}

static void small_fork_at(int others) {
  for (int i = 0; i < MOST_SAMPLES; i++) {
    uint64 begin = instructions();
    if (must_fork() == 0) exit(0);
    wait(0);
    sample[i] = instructions() - begin;
  }
  point("fork+exit+wait, processes", others, MOST_SAMPLES);
}

// A child that tells the time and goes to sleep for so many ticks.
static int start_sleeper(const int *fds, int ticks) {
  int pid = must_fork();
  if (pid != 0) return pid;
  uint64 begin = instructions();
  write(fds[1], &begin, sizeof(begin));
  sleep(ticks);
  exit(0);
}

// From there until somebody else runs.
static void sleep_at(const char *curve, int others, int ticks) {
  int fds[2];
  make_pipe(fds);
  for (int i = 0; i < MOST_SAMPLES; i++) {
    uint64 begin;
    int pid = start_sleeper(fds, ticks);
    if (read(fds[0], &begin, sizeof(begin)) != sizeof(begin)) fail("read");
    sample[i] = instructions() - begin;
    kill(pid);
    wait(0);
  }
  close_pipe(fds);
  point(curve, others, MOST_SAMPLES);
}

static void kill_at(int others) {
  for (int i = 0; i < MOST_SAMPLES; i++) {
    int pid = must_fork();
    if (pid == 0) exit(sleep(2000000));
    sleep(1);  // until it does so
    uint64 begin = instructions();
    if (kill(pid) < 0) fail("kill");
    sample[i] = instructions() - begin;
    wait(0);
  }
  point("kill", others, MOST_SAMPLES);
}

static void grow_processes(void) {
  make_pipe(bed);
  for (int n = 0; n <= 500; n += 50) {
    populate(n, 0);
    for (int i = 0; i < 3; i++) sample[i] = ping_pong(ROUNDS) / ROUNDS;
    point("ping-pong, asleep", n, 3);
    small_fork_at(n);
    sleep_at("sleep, readers", n, 1000);
    kill_at(n);
    clear_out(n);
    populate(n, 1000000);
    sleep_at("sleep, sleepers", n, 2000000);
    sleep_at("sleep, longer sleepers", n, 1000);
    clear_out(n);
  }
  close_pipe(bed);
}

// What `pairs` ping-pongs at a time cost, processes and all.
static uint64 run_pairs(int pairs, int rounds) {
  int gate[2];
  char byte;
  make_pipe(gate);
  for (int i = 0; i < pairs; i++) {
    if (must_fork() != 0) continue;
    read(gate[0], &byte, 1);
    close_pipe(gate);
    ping_pong(rounds);
    exit(0);
  }
  sleep(1);
  uint64 begin = instructions();
  write(gate[1], pids, pairs);
  for (int i = 0; i < pairs; i++) wait(0);
  uint64 cost = instructions() - begin;
  close_pipe(gate);
  return cost;
}

// In each pair one process is ready, or runs, and the other waits for it.
static void grow_ready(void) {
  for (int others = 0; others <= 60; others += 5) {
    int pairs = others + 1;
    uint64 less = run_pairs(pairs, ROUNDS), more = run_pairs(pairs, 2 * ROUNDS);
    sample[0] = (more - less) / (ROUNDS * pairs);
    point("ping-pong, ready", others, 1);
  }
}

int main(void) {
  measure_begin();
  printf("%-44s %10s %10s %10s\n", "instructions", "min", "median", "max");
  grow_fork();
  grow_sparse();
  grow_threads();
  grow_processes();
  grow_ready();
  measure_end("growth", 1);
}
