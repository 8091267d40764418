// Threads that are busy with something for ever, for tests that end them.
#include "kernel/types.h"
#include "kernel/fcntl.h"
#include "user/threadtest/threadtest.h"

int occupied;
static int empty[2], full[2];   // pipes that nobody else uses
static int never;               // a futex that nobody wakes
static struct gate child_gate;  // its child ends when all of us are gone
static char *untouched;

enum { BLOCK = 3000, TOUCHES = 2000 };
#define FILE_NAME  "/thread.tmp"

void prepare_occupations(void) {
  static char bytes[512];
  CHECK(pipe(empty) == 0 && pipe(full) == 0, "no pipes");
  for (int i = 0; i < 4; i++) CHECK_EQ(write(full[1], bytes, sizeof(bytes)), sizeof(bytes));
  gate_make(&child_gate);
  untouched = sbrk(TOUCHES * PGSIZE);
}

void clean_up_occupations(void) { unlink(FILE_NAME); }

static void spin(void) {
  for (;;) linger(1000);
}

static void read_pipe(void) {
  char byte;
  read(empty[0], &byte, 1);
}

static void write_pipe(void) { write(full[1], "x", 1); }

static void wait_futex(void) { futex(&never, FUTEX_WAIT, 0); }

static void spin_for(void *unused, void *unused2) {
  (void)unused, (void)unused2;
  spin();
}

static void join_one(void) {
  spawn(spin_for, 0);
  join(0);
}

static void wait_child(void) {
  if (must_fork() == 0) {
    char byte;
    close(child_gate.fd[1]);
    read(child_gate.fd[0], &byte, 1);
    exit(0);
  }
  wait(0);
}

static void write_file(void) {
  static char bytes[BLOCK];
  for (;;) {
    int fd = open(FILE_NAME, O_CREATE | O_WRONLY | O_TRUNC);
    CHECK(fd >= 0, "cannot open " FILE_NAME);
    CHECK_EQ(write(fd, bytes, BLOCK), BLOCK);
    close(fd);
  }
}

// First touches, while there are pages for it.
static void fault(void) {
  for (int i = 0; i < TOUCHES; i++) untouched[i * PGSIZE] = 1;
  spin();
}

static void sleep_long(void) { sleep(1000 * PATIENCE); }

static void (*const ways[OCCUPATIONS])(void) = {
    [SPINS] = spin,        [READS_PIPE] = read_pipe, [WRITES_PIPE] = write_pipe,
    [SLEEPS] = sleep_long, [FUTEX] = wait_futex,     [JOINS] = join_one,
    [WAITS] = wait_child,  [WRITES_FILE] = write_file, [FAULTS] = fault,
};

void occupy(enum occupation what) {
  add(&occupied, 1);
  ways[what]();
  test_failed(__FILE__, __LINE__, "no return", "occupation %d came to an end", what);
}

static void occupy_thread(void *what, void *unused) {
  (void)unused;
  occupy((enum occupation)(long)what);
}

void spawn_occupied(void) {
  for (int i = 0; i < OCCUPATIONS; i++) spawn(occupy_thread, i);
}
