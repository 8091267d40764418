// System calls on processes and their memory.
#include "arch/timer.h"
#include "kernel/futex.h"
#include "lib/errno.h"
#include "mm/vm.h"
#include "proc/clock.h"
#include "proc/futex.h"
#include "proc/proc.h"
#include "kernel/vm.h"
#include "sys/args.h"

int64 sys_fork(const uint64 *a);
int64 sys_exit(const uint64 *a);
int64 sys_wait(const uint64 *a);
int64 sys_kill(const uint64 *a);
int64 sys_getpid(const uint64 *a);
int64 sys_sbrk(const uint64 *a);
int64 sys_sleep(const uint64 *a);
int64 sys_uptime(const uint64 *a);
int64 sys_clone(const uint64 *a);
int64 sys_join(const uint64 *a);
int64 sys_futex(const uint64 *a);

int64 sys_fork(const uint64 *a) {
  (void)a;
  return fork();
}

int64 sys_exit(const uint64 *a) { exit(arg_int(a, 0)); }

int64 sys_wait(const uint64 *a) { return wait(a[0]); }

int64 sys_kill(const uint64 *a) { return kill(arg_int(a, 0)); }

int64 sys_getpid(const uint64 *a) {
  (void)a;
  return myproc()->pid;
}

// Widened before it is negated: the smallest int has no positive counterpart.
int64 sys_sbrk(const uint64 *a) {
  struct vm *vm = myproc()->vm;
  int64 n = arg_int(a, 0);
  if (n < 0) return vm_shrink(vm, -n);
  return arg_int(a, 1) == SBRK_EAGER ? vm_grow_eager(vm, n) : vm_grow(vm, n);
}

int64 sys_sleep(const uint64 *a) { return clock_sleep(arg_int(a, 0)); }

int64 sys_uptime(const uint64 *a) {
  (void)a;
  return clock_ticks();
}

int64 sys_clone(const uint64 *a) { return clone(a[0], a[1], a[2], a[3]); }

int64 sys_join(const uint64 *a) { return join(a[0]); }

int64 sys_futex(const uint64 *a) {
  struct vm *vm = myproc()->vm;
  switch (arg_int(a, 1)) {
    case FUTEX_WAIT: return futex_wait(vm, a[0], arg_int(a, 2));
    case FUTEX_WAKE: return futex_wake(vm, a[0], arg_int(a, 2));
    default: return -EINVAL;
  }
}
