// Failures and delays on purpose: each process carries its own orders, so a test can make
// one allocation of its own fail while all others run unharmed.
#include "debug/inject.h"

#include "arch/csr.h"
#include "arch/devtree.h"
#include "arch/offsets.h"
#include "debug/crash.h"
#include "lib/errno.h"
#include "proc/proc.h"
#include "proc/sched.h"

#ifdef DEBUG
#define SLOW_FAULTS_A_SECOND  1000

// Whether the caller wants this done, whatever the number in its order.
static bool ordered(int point) {
  struct proc *p = myproc();
  if (p == NULL || p->inject[point].after == 0) return false;
  p->inject[point].passed++;
  return true;
}

bool inject_here(int point) {
  struct proc *p = myproc();
  if (p == NULL) return false;  // boot
  struct injection *order = &p->inject[point];
  return order->after != 0 && ++order->passed == order->after;
}

void inject_slow_fault(void) {
  if (likely(!ordered(INJECT_FAULT))) return;
  uint64 start = time_now();
  do yield();
  while (time_now() - start < machine.timebase / SLOW_FAULTS_A_SECOND);
}

uint64 inject_stack_to_paint(void) {
  return ordered(INJECT_STACK) ? myproc()->kstack_top - KSTACK_SIZE : 0;
}

int inject_order(int point, uint32 after) {
  if (point == INJECT_CRASH) return crash(after);
  if (point < 0 || point >= INJECT_POINTS) return -EINVAL;
  struct injection *order = &myproc()->inject[point];
  int passed = order->passed;
  order->after = after;
  order->passed = 0;
  return passed;
}
#else
int inject_order(int point, uint32 after) {
  (void)point, (void)after;
  return -ENOSYS;
}
#endif
