// smpbench: what an operation costs a hart while others do the same.
//
//   smpbench ROW WORKERS
//
// WORKERS threads of one program, or processes of one thread each, do ROW's operation
// OPERATIONS times, each on a hart of its own, all at the same time.  Around them each
// executes a marker, an instruction without effect that a QEMU plugin recognises:
// slti x0, x0, 0x100 + worker begins, 0x200 + worker ends.  So the plugin counts, for
// each hart, instructions, atomic operations, fences and the cache lines that harts
// fought for; this program only prints how many operations there were.
#include "kernel/fcntl.h"
#include "kernel/riscv.h"
#include "user/testlib.h"
#include "user/thread.h"

#define OPERATIONS  1000
#define MOST        8

static int workers, arrived;
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

static char *part(int n) { return area + (uint64)n * OPERATIONS * PGSIZE; }

static void touch(int n) {
  for (int i = 0; i < OPERATIONS; i++) part(n)[(uint64)i * PGSIZE] = 1;
}

static void call(int n) {
  (void)n;
  for (int i = 0; i < OPERATIONS; i++) getpid();
}

static void open_close(int n) {
  (void)n;
  for (int i = 0; i < OPERATIONS; i++) close(open("README", O_RDONLY));
}

static void through_pipe(int n) {
  int fds[2];
  char byte = n;
  CHECK(pipe(fds) == 0, "no pipe");
  for (int i = 0; i < OPERATIONS; i++) {
    write(fds[1], &byte, 1);
    read(fds[0], &byte, 1);
  }
}

static void fork_wait(int n) {
  (void)n;
  for (int i = 0; i < OPERATIONS; i++) {
    if (must_fork() == 0) exit(0);
    wait(0);
  }
}

static void shrink(int n) {
  (void)n;
  for (int i = 0; i < OPERATIONS; i++) {
    char *p = sbrk(PGSIZE);
    *p = 1;
    sbrk(-PGSIZE);
  }
}

static const struct row {
  const char *name;
  void (*work)(int n);
  int threads;  // of one program; else processes
  int shared;   // all pages are there, and shared with a process that sleeps
} rows[] = {
    {"call", call, 0, 0},           {"touch", touch, 0, 0},
    {"touch-threads", touch, 1, 0}, {"cow", touch, 0, 1},
    {"cow-threads", touch, 1, 1},   {"fork", fork_wait, 0, 0},
    {"pipe", through_pipe, 0, 0},   {"pipe-threads", through_pipe, 1, 0},
    {"open", open_close, 0, 0},     {"open-threads", open_close, 1, 0},
    {"shrink", shrink, 0, 0},
};

static const struct row *row;

static void measured(int n) {
  begin(n);
  row->work(n);
  end(n);
}

static void run_thread(void *which, void *unused) {
  (void)unused;
  __atomic_fetch_add(&arrived, 1, __ATOMIC_SEQ_CST);
  while (__atomic_load_n(&arrived, __ATOMIC_SEQ_CST) < workers) continue;
  measured((int)(uint64)which);
}

static void run_threads(void) {
  for (int i = 0; i < workers; i++)
    CHECK(thread_create(run_thread, (void *)(uint64)i, 0) > 0, "no thread");
  for (int i = 0; i < workers; i++) thread_join();
}

static void run_processes(void) {
  int ready[2], go[2];
  char byte = 0;
  CHECK(pipe(ready) == 0 && pipe(go) == 0, "no pipe");
  for (int i = 0; i < workers; i++) {
    if (must_fork() != 0) continue;
    close(go[1]);
    write(ready[1], &byte, 1);
    read(go[0], &byte, 1);  // ends with the last copy of the other end
    measured(i);
    exit(0);
  }
  for (int i = 0; i < workers; i++) read(ready[0], &byte, 1);
  close(go[1]);
  for (int i = 0; i < workers; i++) must_wait(0);
}

int main(int argc, char **argv) {
  for (const struct row *r = rows; argc == 3 && r < rows + COUNT_OF(rows); r++)
    if (strcmp(argv[1], r->name) == 0) row = r;
  if (row == 0 || (workers = atoi(argv[2])) < 1 || workers > MOST) {
    printf("usage: smpbench ROW WORKERS; rows:");
    for (int i = 0; i < COUNT_OF(rows); i++) printf(" %s", rows[i].name);
    printf("\n");
    return 2;
  }
  uint64 bytes = (uint64)workers * OPERATIONS * PGSIZE;
  area = sbrk_by(bytes);
  CHECK(area != SBRK_ERROR, "no room");
  int sleeper[2], pid = 0;
  if (row->shared) {
    for (uint64 at = 0; at < bytes; at += PGSIZE) area[at] = 1;
    CHECK(pipe(sleeper) == 0, "no pipe");
    if ((pid = must_fork()) == 0) {
      close(sleeper[1]);
      read(sleeper[0], area, 1);
      exit(0);
    }
  }
  if (row->threads)
    run_threads();
  else
    run_processes();
  if (row->shared) {
    close(sleeper[1]);
    wait(0);
  }
  printf("smpbench: %s, %d workers, %d operations each\n", row->name, workers, OPERATIONS);
  return 0;
}
