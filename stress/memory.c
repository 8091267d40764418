// memory: what the kernel's own memory is needed for, by the frames that it counts.
//
// Each row tells bytes, or a count where its name says so: least, middle and
// largest of some rounds, which are equal when every frame comes back.
#include "stress/measure.h"
#include "kernel/memstat.h"
#include "kernel/param.h"

#define ROUNDS    3
#define CHILDREN  60

enum { USER, PAGETABLE, KSTACK, SLAB, PIPE, OTHER, ALL, KINDS };
static const char *const kind_names[KINDS] = {
    "user", "page tables", "kernel stacks", "kernel objects", "pipes", "other", "all",
};
static uint64 sample[KINDS][ROUNDS];

static void fail(const char *what) {
  printf("memory: %s failed\n", what);
  measure_end("memory", 0);
}

static void row(const char *name, uint64 value) { report(name, &value, 1); }

// Frames in use, by kind.
static void census(uint64 *frames) {
  struct memstat m;
  if (memstat(&m) < 0) fail("memstat");
  frames[USER] = m.user;
  frames[PAGETABLE] = m.pagetable;
  frames[KSTACK] = m.kstack;
  frames[SLAB] = m.slab;
  frames[PIPE] = m.pipe;
  frames[OTHER] = m.other;
  frames[ALL] = m.total - m.free - m.kept;
}

// Free, or kept ready by the kernel.
static uint64 free_frames(void) {
  struct memstat m;
  if (memstat(&m) < 0) fail("memstat");
  return m.free + m.kept;
}

// Waits until all have done what they do before they sleep: nothing is taken any more.
static void settle(void) {
  uint64 before;
  do {
    before = free_frames();
    sleep(1);
  } while (free_frames() != before);
}

// Prints the rows of what `things` of that name took, whole or one by one.
static void rows(const char *what, uint64 things) {
  char name[64];
  for (int kind = 0; kind < KINDS; kind++) {
    uint64 most = 0;
    for (int i = 0; i < ROUNDS; i++) {
      sample[kind][i] = sample[kind][i] * PGSIZE / things;
      if (sample[kind][i] > most) most = sample[kind][i];
    }
    if (most == 0) continue;
    strcpy(name, what);
    strcpy(name + strlen(name), ", ");
    strcpy(name + strlen(name), kind_names[kind]);
    report(name, sample[kind], ROUNDS);
  }
}

// --- processes that wait ----------------------------------------------------

static int hold[2], ready[2];  // children wait at the one, and have come by the other

static void make_pipes(void) {
  if (pipe(hold) < 0 || pipe(ready) < 0) fail("pipe");
}

static void close_pipes(void) {
  for (int i = 0; i < 2; i++) close(hold[i]), close(ready[i]);
}

static void hear(int bytes) {
  char byte;
  for (int i = 0; i < bytes; i++)
    if (read(ready[0], &byte, 1) != 1) fail("child");
}


static void end_children(void) {
  int status;
  close_pipes();
  while (wait(&status) > 0)
    if (status != 0) fail("child");
}

static void wait_here(void) {
  char byte = 0;
  close(hold[1]);
  write(ready[1], &byte, 1);
  read(hold[0], &byte, 1);
  exit(0);
}

static void become(int fd, int end) {
  close(fd);
  if (dup(end) != fd) exit(1);
}

// A shell that reads its commands from `hold`: it ends well when those end.
static void be_shell(void) {
  char *argv[] = {"sh", 0};
  become(0, hold[0]);
  become(1, ready[1]);
  become(2, ready[1]);
  close_pipes();
  exec("sh", argv);
  exit(1);
}

// What each of them does, and writes to `ready` before it waits.
static const struct idle {
  void (*body)(void);
  int bytes;
} forked = {wait_here, 1}, shell = {be_shell, 0};

static void start(const struct idle *kind, int n) {
  for (int i = 0; i < n; i++) {
    int pid = fork();
    if (pid < 0) fail("fork");
    if (pid == 0) kind->body();
  }
  hear(n * kind->bytes);
  settle();
}

// What CHILDREN take that wait, beside `before` others that do so too; in `sample`.
static void take_in(const struct idle *kind, int before, int round) {
  uint64 first[KINDS], last[KINDS], unused = free_frames();
  make_pipes();
  start(kind, before);
  census(first);
  start(kind, CHILDREN);
  census(last);
  for (int i = 0; i < KINDS; i++) sample[i][round] = last[i] - first[i];
  end_children();
  if (free_frames() != unused) fail("giving back");
}

// The first time, pages of this program are touched that stay.
static void warm_up(void) {
  memset(sample, 0, sizeof(sample));
  make_pipes();
  start(&forked, 1);
  start(&shell, 1);
  end_children();
}

static void measure_idle(const struct idle *kind, int before, const char *what, int things) {
  for (int i = 0; i < ROUNDS; i++) take_in(kind, before, i);
  rows(what, things);
}

// --- threads that wait ------------------------------------------------------

static char stacks[CHILDREN][PGSIZE] __attribute__((aligned(PGSIZE)));

static void thread_body(void *arg, void *unused) {
  char byte = 0;
  (void)arg;
  (void)unused;
  write(ready[1], &byte, 1);
  read(hold[0], &byte, 1);
  exit(0);
}

static void measure_threads(void) {
  for (int i = 0; i < CHILDREN; i++) stacks[i][0] = 1;  // its own memory
  for (int round = 0; round < ROUNDS; round++) {
    uint64 first[KINDS], last[KINDS];
    make_pipes();
    census(first);
    for (int i = 0; i < CHILDREN; i++)
      if (clone(thread_body, 0, 0, stacks[i]) < 0) fail("clone");
    hear(CHILDREN);
    settle();
    census(last);
    for (int i = 0; i < KINDS; i++) sample[i][round] = last[i] - first[i];
    write(hold[1], stacks, CHILDREN);
    for (int i = 0; i < CHILDREN; i++) join(0);
    close_pipes();
  }
  rows("a thread", CHILDREN);
}

// --- resident memory --------------------------------------------------------

static void measure_heap(long bytes) {
  for (int round = 0; round < ROUNDS; round++) {
    uint64 first[KINDS], last[KINDS];
    census(first);
    char *p = sbrk(bytes);
    if (p == SBRK_ERROR) fail("sbrk");
    for (long at = 0; at < bytes; at += PGSIZE) p[at] = 1;
    census(last);
    for (int i = 0; i < KINDS; i++) sample[i][round] = last[i] - first[i];
    sbrk(-bytes);
  }
  rows("64 MiB of heap", 1);
}

// --- as many processes as there may be --------------------------------------

static void measure_most(void) {
  uint64 counts[ROUNDS], left[ROUNDS];
  for (int round = 0; round < ROUNDS; round++) {
    uint64 unused = free_frames();
    int n = 0, pid;
    make_pipes();
    while ((pid = fork()) > 0) {
      n++;
      hear(1);
    }
    if (pid == 0) wait_here();
    left[round] = free_frames() * PGSIZE;
    counts[round] = n + 1;  // and this one
    end_children();
    if (free_frames() != unused) fail("giving back");
  }
  report("processes at most, count", counts, ROUNDS);
  report("free then", left, ROUNDS);
}

int main(void) {
  uint64 at_start[KINDS];
  struct memstat m;
  measure_begin();
  if (memstat(&m) < 0) fail("memstat");
  census(at_start);
  printf("%-44s %10s %10s %10s\n", "bytes", "min", "median", "max");
  row("RAM handed out", m.total * PGSIZE);
  row("RAM in use at the start", at_start[ALL] * PGSIZE);
  row("RAM in use at the start, other", at_start[OTHER] * PGSIZE);
  warm_up();
  measure_most();
  if (m.free * PGSIZE > 80 * MIB) {
    measure_idle(&forked, 20, "a forked child", CHILDREN);
    measure_idle(&shell, 20, "a forked and exec'd sh", CHILDREN);
    measure_idle(&forked, 0, "60 forked children", 1);
    measure_idle(&shell, 0, "60 forked and exec'd sh", 1);
    measure_threads();
    measure_heap(64 * MIB);
  }
  measure_end("memory", 1);
}
