// smpbench: what an operation costs a hart while others do the same.
//
//   smpbench ROW WORKERS
//
// WORKERS threads of one program, or processes of one thread each, share the work of
// doing ROW's operation many times, each on a hart of its own, all at the same time.  Each
// executes markers, instructions without effect that a plugin of QEMU recognises
// (stress/bench/counters.c): when it begins, after each operation, and when it ends.  So
// the plugin counts, for each hart, instructions, atomic operations and fences, and sees
// the cache lines that harts fought for; this program only prints how many operations
// there were.
//
// As the first program (boot option init=/smpbench) it does each line of the file smprows,
// a ROW and WORKERS, in a process of its own, and powers off: there is nobody who types, at
// moments that differ from run to run, so all figures repeat.
#include "kernel/atomic.h"
#include "kernel/fcntl.h"
#include "kernel/riscv.h"
#include "stress/measure.h"
#include "user/testlib.h"
#include "user/thread.h"

#define MOST  8
#define LEAD  (5 * 10000)  // clock ticks of 100 ns: what a worker has to wake up in

static const struct row *row;
static int workers, arrived;
static int operations;  // of each worker
static char *area;  // of all; each worker has a part of it

// A marker's number is part of the instruction.
#define MARK(base, n) \
  case n: asm volatile("slti x0, x0, %0" : : "i"((base) + (n)) : "memory"); break
#define MARKS(base)                                                                    \
  switch (n) {                                                                         \
    MARK(base, 0); MARK(base, 1); MARK(base, 2); MARK(base, 3);                        \
    MARK(base, 4); MARK(base, 5); MARK(base, 6); MARK(base, 7);                        \
  }

static void begin(int n) { MARKS(0x100) }
static void end(int n) { MARKS(0x200) }
static void done(void) { asm volatile("slti x0, x0, 0x300" : : : "memory"); }

static char *part(int n) { return area + (uint64)n * operations * PGSIZE; }

static void touch(int n) {
  for (int i = 0; i < operations; i++, done()) part(n)[(uint64)i * PGSIZE] = 1;
}

static void call(int n) {
  (void)n;
  for (int i = 0; i < operations; i++, done()) getpid();
}

static void open_close(int n) {
  (void)n;
  for (int i = 0; i < operations; i++, done()) close(open("README", O_RDONLY));
}

static void through_pipe(int n) {
  int fds[2];
  char byte = n;
  CHECK(pipe(fds) == 0, "no pipe");
  for (int i = 0; i < operations; i++, done()) {
    write(fds[1], &byte, 1);
    read(fds[0], &byte, 1);
  }
}

static void fork_wait(int n) {
  (void)n;
  for (int i = 0; i < operations; i++, done()) {
    if (must_fork() == 0) exit(0);
    wait(0);
  }
}

static void shrink(int n) {
  (void)n;
  for (int i = 0; i < operations; i++, done()) {
    char *p = sbrk(PGSIZE);
    *p = 1;
    sbrk(-PGSIZE);
  }
}

// So many that an emulator that runs harts in turn changes over often meanwhile, even if
// a hart goes on for 8 ms.
static const struct row {
  const char *name;
  void (*work)(int n);
  int operations;  // of all workers
  int threads;     // of one program; else processes
  int shared;      // all pages are there, and shared with a process that sleeps
} rows[] = {
    {"call", call, 480000, 0, 0},
    {"touch", touch, 32000, 0, 0},
    {"touch-threads", touch, 32000, 1, 0},
    {"cow", touch, 32000, 0, 1},
    {"cow-threads", touch, 8000, 1, 1},
    {"fork", fork_wait, 8000, 0, 0},
    {"pipe", through_pipe, 48000, 0, 0},
    {"pipe-threads", through_pipe, 48000, 1, 0},
    {"open", open_close, 24000, 0, 0},
    {"open-threads", open_close, 24000, 1, 0},
    {"shrink", shrink, 32000, 0, 0},
};

static void measured(int n) {
  begin(n);
  row->work(n);
  end(n);
}

static void run_thread(void *which, void *unused) {
  (void)unused;
  atomic_add_acq_rel(&arrived, 1);
  while (atomic_load_acquire(&arrived) < workers) continue;
  measured((int)(uint64)which);
}

static void run_threads(void) {
  for (int i = 0; i < workers; i++)
    CHECK(thread_create(run_thread, (void *)(uint64)i, 0) > 0, "no thread");
  for (int i = 0; i < workers; i++) thread_join();
}

static uint64 now(void) {
  uint64 ticks;
  asm volatile("rdtime %0" : "=r"(ticks));
  return ticks;
}

// The workers are told when to begin, and until then keep their harts busy: they are all
// awake by that time.
static void run_processes(void) {
  int ready[2], go[2];
  char byte = 0;
  uint64 start;
  CHECK(pipe(ready) == 0 && pipe(go) == 0, "no pipe");
  for (int i = 0; i < workers; i++) {
    if (must_fork() != 0) continue;
    write(ready[1], &byte, 1);
    CHECK_EQ(read(go[0], &start, sizeof(start)), sizeof(start));
    while (now() < start) continue;
    measured(i);
    exit(0);
  }
  for (int i = 0; i < workers; i++) read(ready[0], &byte, 1);
  start = now() + (uint64)workers * LEAD;
  for (int i = 0; i < workers; i++) write(go[1], &start, sizeof(start));
  for (int i = 0; i < workers; i++) must_wait(0);
}

static const struct row *find_row(const char *name) {
  for (const struct row *r = rows; r < rows + COUNT_OF(rows); r++)
    if (strcmp(name, r->name) == 0) return r;
  return 0;
}

static void usage(void) {
  printf("usage: smpbench ROW WORKERS; up to %d workers; rows:", MOST);
  for (int i = 0; i < COUNT_OF(rows); i++) printf(" %s", rows[i].name);
  printf("\n");
  exit(2);
}

// Makes all pages of the area, and a process that shares them.  Returns what ends it.
static int share_area(uint64 bytes) {
  int sleeper[2];
  for (uint64 at = 0; at < bytes; at += PGSIZE) area[at] = 1;
  CHECK(pipe(sleeper) == 0, "no pipe");
  if (must_fork() == 0) {
    close(sleeper[1]);
    read(sleeper[0], area, 1);
    exit(0);
  }
  close(sleeper[0]);
  return sleeper[1];
}

static void run_row(const char *name, const char *how_many) {
  row = find_row(name);
  workers = atoi(how_many);
  if (row == 0 || workers < 1 || workers > MOST) usage();
  operations = row->operations / workers;
  uint64 bytes = row->work == touch ? (uint64)workers * operations * PGSIZE : 0;
  area = sbrk_by(bytes);
  CHECK(area != SBRK_ERROR, "no room");
  int sleeper = row->shared ? share_area(bytes) : -1;
  if (row->threads)
    run_threads();
  else
    run_processes();
  if (row->shared) {
    close(sleeper);
    wait(0);
  }
  printf("smpbench: %s, %d workers, %d operations each\n", name, workers, operations);
}

// The next word of *at, ended in place; 0 when there is none left.
static char *next_word(char **at) {
  char *word = *at;
  while (*word == ' ' || *word == '\n') word++;
  char *end = word;
  while (*end != 0 && *end != ' ' && *end != '\n') end++;
  *at = *end ? end + 1 : end;
  *end = 0;
  return *word ? word : 0;
}

static void run_file(void) {
  static char text[512];
  measure_begin();
  int fd = open("smprows", O_RDONLY);
  if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0) poweroff(2);
  close(fd);
  char *at = text, *name, *how_many;
  while ((name = next_word(&at)) != 0 && (how_many = next_word(&at)) != 0) {
    if (must_fork() == 0) {
      run_row(name, how_many);
      exit(0);
    }
    int status = -1;
    wait(&status);
    if (status != 0) poweroff(3);
  }
  poweroff(0);
}

int main(int argc, char **argv) {
  if (argc == 1 && is_first()) run_file();
  if (argc != 3) usage();
  run_row(argv[1], argv[2]);
  return 0;
}
