// Failures on purpose: each process carries its own orders, so a test can make
// one allocation of its own fail while everyone else goes on unharmed.
#include "debug/inject.h"

#include "debug/crash.h"
#include "lib/errno.h"
#include "proc/proc.h"

#ifdef DEBUG
bool inject_here(int point) {
  struct proc *p = myproc();
  if (p == NULL) return false;  // boot
  struct injection *order = &p->inject[point];
  return order->after != 0 && ++order->passed == order->after;
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
