// bench: what the kernel's operations cost, in instructions.
//
// Each row runs an operation many times and takes the instructions that the hart
// retired from before to after it, user side and reading the counter included.  On
// one hart under `-icount shift=0` the figures repeat to the digit; CPUS.md names
// the whole command.
#include "kernel/fcntl.h"
#include "stress/measure.h"

#define REPEAT  101

static uint64 sample[REPEAT];

static void fail(const char *what) {
  printf("bench: %s failed\n", what);
  exit(1);
}

// Runs `body` for each sample; a name is free for use inside it: i.
#define MEASURE(name, n, body)                 \
  do {                                         \
    for (int i = 0; i < (n); i++) {            \
      uint64 begin_ = instructions();          \
      body;                                    \
      sample[i] = instructions() - begin_;     \
    }                                          \
    report(name, sample, n);                   \
  } while (0)

static void bench_calls(void) {
  MEASURE("getpid", REPEAT, getpid());
  MEASURE("sbrk of one page, the call", REPEAT, sbrk(PGSIZE));
  sbrk(-REPEAT * PGSIZE);
  for (int i = 0; i < REPEAT; i++) {
    uint64 begin = instructions();
    sbrk(64 * MIB);
    uint64 middle = instructions();
    sbrk(-64 * MIB);
    sample[i] = middle - begin;
  }
  report("sbrk of 64 MiB, untouched", sample, REPEAT);
  for (int i = 0; i < REPEAT; i++) {
    sbrk(64 * MIB);
    uint64 begin = instructions();
    sbrk(-64 * MIB);
    sample[i] = instructions() - begin;
  }
  report("sbrk of -64 MiB, untouched", sample, REPEAT);
}

static void bench_touch(void) {
  volatile char *p = sbrk(REPEAT * PGSIZE);
  MEASURE("first touch of a page, write", REPEAT, p[i * PGSIZE] = 1);
  sbrk(-REPEAT * PGSIZE);

  uint64 begin = instructions();
  volatile char *heap = sbrk(16 * MIB);
  for (long at = 0; at < 16 * MIB; at += PGSIZE) heap[at] = 1;
  sample[0] = (instructions() - begin) / (16 * MIB / PGSIZE);
  report("grow and touch 16 MiB, per page", sample, 1);
  begin = instructions();
  sbrk(-16 * MIB);
  sample[0] = (instructions() - begin) / (16 * MIB / PGSIZE);
  report("shrink of 16 MiB resident, per page", sample, 1);
}

// The parent writes to pages that a living child shares, then, once the child has
// gone, to those it has not written yet.
static void bench_cow(void) {
  volatile char *p = sbrk(2 * REPEAT * PGSIZE);
  for (int i = 0; i < 2 * REPEAT; i++) p[i * PGSIZE] = 1;
  int fds[2];
  char byte;
  if (pipe(fds) < 0) fail("pipe");
  int pid = fork();
  if (pid < 0) fail("fork");
  if (pid == 0) {
    read(fds[0], &byte, 1);
    exit(0);
  }
  MEASURE("COW write with copy", REPEAT, p[i * PGSIZE] = 2);
  write(fds[1], "x", 1);
  wait(0);
  MEASURE("COW write, sole owner", REPEAT, p[(REPEAT + i) * PGSIZE] = 2);
  close(fds[0]);
  close(fds[1]);
  sbrk(-2 * REPEAT * PGSIZE);
}

static void fork_exit_wait(void) {
  int pid = fork();
  if (pid < 0) fail("fork");
  if (pid == 0) exit(0);
  wait(0);
}

static void bench_fork_of(long bytes, const char *whole, const char *call, int n) {
  volatile char *p = sbrk(bytes);
  for (long at = 0; at < bytes; at += PGSIZE) p[at] = 1;
  MEASURE(whole, n, fork_exit_wait());
  for (int i = 0; i < n; i++) {
    uint64 begin = instructions();
    int pid = fork();
    if (pid == 0) exit(0);
    sample[i] = instructions() - begin;
    wait(0);
  }
  report(call, sample, n);
  sbrk(-bytes);
}

static void bench_exec(void) {
  char *argv[] = {"bench", "-nothing", 0};
  for (int i = 0; i < REPEAT; i++) {
    uint64 begin = instructions();
    int pid = fork();
    if (pid == 0) {
      exec("bench", argv);
      exit(1);
    }
    wait(0);
    sample[i] = instructions() - begin;
  }
  report("fork+exec+wait", sample, REPEAT);
}

static void bench_pipe(void) {
  static char buf[512];
  int fds[2], back[2];
  if (pipe(fds) < 0 || pipe(back) < 0) fail("pipe");
  MEASURE("pipe write+read of 1 byte", REPEAT, (write(fds[1], buf, 1), read(fds[0], buf, 1)));
  MEASURE("pipe write+read of 512 bytes", REPEAT,
          (write(fds[1], buf, 512), read(fds[0], buf, 512)));
  int pid = fork();
  if (pid == 0) {
    while (read(fds[0], buf, 1) == 1 && buf[0] == 0) write(back[1], buf, 1);
    exit(0);
  }
  MEASURE("pipe ping-pong, round trip", REPEAT, (write(fds[1], buf, 1), read(back[0], buf, 1)));
  buf[0] = 1;
  write(fds[1], buf, 1);
  wait(0);
  for (int i = 0; i < 2; i++) close(fds[i]), close(back[i]);
}

static void bench_files(void) {
  static char block[4096];
  int fd = open("benchfile", O_CREATE | O_RDWR);
  if (fd < 0 || write(fd, block, sizeof(block)) != sizeof(block)) fail("write");
  close(fd);
  MEASURE("open+close", REPEAT, close(open("benchfile", O_RDONLY)));
  for (int i = 0; i < REPEAT; i++) {
    fd = open("benchfile", O_RDWR);
    uint64 begin = instructions();
    read(fd, block, sizeof(block));
    sample[i] = instructions() - begin;
    close(fd);
  }
  report("read of 4 KiB, cached", sample, REPEAT);
  for (int i = 0; i < REPEAT; i++) {
    fd = open("benchfile", O_RDWR);
    uint64 begin = instructions();
    write(fd, block, sizeof(block));
    sample[i] = instructions() - begin;
    close(fd);
  }
  report("overwrite of 4 KiB, through the log", sample, REPEAT);
  MEASURE("create+close+unlink, through the log", REPEAT,
          (close(open("benchtemp", O_CREATE | O_RDWR)), unlink("benchtemp")));
  unlink("benchfile");
}

int main(int argc, char **argv) {
  (void)argv;
  if (argc > 1) exit(0);  // started by bench_exec
  measure_begin();
  printf("%-44s %10s %10s %10s\n", "instructions", "min", "median", "max");
  bench_calls();
  bench_touch();
  bench_cow();
  bench_fork_of(PGSIZE, "fork+exit+wait, small process", "fork, the call, small process", REPEAT);
  bench_fork_of(1 * MIB, "fork+exit+wait, 1 MiB resident", "fork call, 1 MiB", 11);
  bench_fork_of(16 * MIB, "fork+exit+wait, 16 MiB resident", "fork call, 16 MiB", 5);
  bench_fork_of(64 * MIB, "fork+exit+wait, 64 MiB resident", "fork call, 64 MiB", 3);
  bench_exec();
  bench_pipe();
  bench_files();
  measure_end("bench", 1);
}
