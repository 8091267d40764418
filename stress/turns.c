// turns THIEVES SPINNERS [MILLISECONDS]: how much of a hart's time a process gets that
// never gives it up, while pairs of thieves share turns so that each takes nearly all of
// one and leaves the victim the rest, and spinners never give theirs up either.  Prints
// the victim's share of the time, and an even share, in thousandths; fails below half of
// that.  For CPUS=1, or harts that run in turn.
#include "kernel/types.h"
#include "user/user.h"

enum { MICROSECOND = 10, MILLISECOND = 1000 * MICROSECOND };  // ticks of QEMU's clock
enum { ALMOST_A_TURN = 9700 * MICROSECOND, GAP = 50 * MICROSECOND };

static uint64 now(void) {
  uint64 t;
  asm volatile("rdtime %0" : "=r"(t));
  return t;
}

// Takes turns with another of its kind: each wakes the other just before its own ends.
static void steal(int from, int to, uint64 end) {
  char c;
  while (now() < end && read(from, &c, 1) == 1) {
    for (uint64 begin = now(); now() - begin < ALMOST_A_TURN;) continue;
    write(to, &c, 1);
  }
  write(to, &c, 1);  // so that the other ends as well
  exit(0);
}

static void start_pair(uint64 end) {
  int a[2], b[2];
  if (pipe(a) < 0 || pipe(b) < 0) exit(1);
  if (fork() == 0) steal(a[0], b[1], end);
  if (fork() == 0) steal(b[0], a[1], end);
  write(a[1], "x", 1);
}

// The time that the caller had, of what passes until `end`.
static uint64 count(uint64 end) {
  uint64 had = 0;
  for (uint64 last = now(), t; last < end; last = t) {
    t = now();
    if (t - last < GAP) had += t - last;
  }
  return had;
}

int main(int argc, char **argv) {
  int pairs = argc > 1 ? atoi(argv[1]) / 2 : 1, spinners = argc > 2 ? atoi(argv[2]) : 0;
  int length = argc > 3 ? atoi(argv[3]) : 1000;
  uint64 begin = now(), end = begin + (uint64)length * MILLISECOND;
  for (int i = 0; i < pairs; i++) start_pair(end);
  for (int i = 0; i < spinners; i++)
    if (fork() == 0) {
      count(end);
      exit(0);
    }
  uint64 had = count(end);
  int share = had * 1000 / (now() - begin), even = 1000 / (1 + 2 * pairs + spinners);
  while (wait(0) > 0) continue;
  printf("turns: the victim had %d of 1000, an even share is %d\n", share, even);
  int failed = share < even / 2;
  printf("%d passed, %d failed\n", !failed, failed);
  exit(failed);
}
