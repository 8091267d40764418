// handover [READS]: for how many turns a reader of one byte waits for the lock of an inode that
// another process holds nearly all the time: it reads 64 KiB of the same cached file at once,
// again and again, and on one hart it loses its turn with the lock in its hands.  A waiter that
// was passed a few times must be handed the lock.  Prints the longest wait; status 1 if that is
// more than TURNS_MOST turns.  Meant for one hart under -icount, where figures repeat.
#include "kernel/types.h"
#include "kernel/fcntl.h"
#include "user/user.h"

enum { PIECE = 65536, PIECES = 4, TURN = 100000 /* ticks of QEMU's clock */, TURNS_MOST = 12 };

static char bytes[PIECE];
static char *const file = "handover.tmp";

static uint64 now(void) {
  uint64 t;
  asm volatile("rdtime %0" : "=r"(t));
  return t;
}

static __attribute__((noreturn)) void fail(const char *what) {
  fprintf(2, "handover: %s failed\n", what);
  exit(2);
}

static void hold_for_ever(void) {
  for (;;) {
    int fd = open(file, O_RDONLY);
    while (read(fd, bytes, PIECE) > 0) continue;
    close(fd);
  }
}

static uint64 longest_wait(int reads) {
  uint64 longest = 0;
  int fd = open(file, O_RDONLY);
  for (int i = 0; i < reads; i++) {
    char byte;
    sleep(1);  // then it is the other one that loses its turn
    uint64 begin = now();
    if (read(fd, &byte, 1) != 1) fail("read");
    uint64 took = now() - begin;
    if (took > longest) longest = took;
  }
  close(fd);
  return longest;
}

int main(int argc, char **argv) {
  int fd = open(file, O_CREATE | O_TRUNC | O_WRONLY);
  for (int i = 0; i < PIECES; i++)
    if (write(fd, bytes, PIECE) != PIECE) fail("write");
  close(fd);
  int pid = fork();
  if (pid < 0) fail("fork");
  if (pid == 0) hold_for_ever();
  sleep(1);
  uint64 longest = longest_wait(argc > 1 ? atoi(argv[1]) : 30);
  kill(pid);
  wait(0);
  unlink(file);
  printf("handover: the longest wait was %d thousandths of a turn, %d are allowed\n",
         (int)(longest * 1000 / TURN), TURNS_MOST * 1000);
  exit(longest > TURNS_MOST * (uint64)TURN);
}
