// initmem: the first program writes to a page that it shares with a child while that child
// has all the memory there is.  It must wait until there is some again: were it to die of the
// fault, any program could end the machine.  Boot option init=/initmem; stress/initmem.py.
#include "stress/measure.h"

#define HELD  20  // ticks for which the child keeps the memory

static volatile char shared[4096] __attribute__((aligned(4096)));

static __attribute__((noreturn)) void take_all(int begin) {
  char c;
  read(begin, &c, 1);
  for (int size = 1 << 20; size >= 4096; size /= 2)
    while (sbrkeager(size) != SBRK_ERROR) continue;
  sleep(HELD);
  exit(0);
}

int main(void) {
  int begin[2];
  measure_begin();
  pipe(begin);
  shared[0] = 1;
  int pid = fork();
  if (pid == 0) take_all(begin[0]);
  volatile char on_stack = 1;  // the stack's page is ours again, and that of `waited`
  static uint64 waited;
  waited = on_stack;
  write(begin[1], "x", 1);
  sleep(HELD / 2);  // by now the child has it all
  waited = uptime();
  shared[0] = 2;
  waited = uptime() - waited;
  wait(0);
  report("ticks until the first program had its page", &waited, 1);
  measure_end("initmem", pid > 0 && shared[0] == 2 && waited > 0);
}
