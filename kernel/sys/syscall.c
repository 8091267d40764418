// Dispatch of system calls.  The table comes from kernel/syscalls.h.
#include "sys/syscall.h"

#include "arch/trapframe.h"
#include "debug/inject.h"
#include "kernel/param.h"
#include "kernel/syscall.h"
#include "lib/errno.h"
#include "lib/printf.h"
#include "mm/usercopy.h"
#include "proc/proc.h"
#include "sys/args.h"

// A call gets the caller's a0 to a5 and returns its result, or a negative errno.
typedef int64 (*call)(const uint64 *a);

#define SYSCALL(number, name, ret, params) int64 sys_##name(const uint64 *a);
#include "kernel/syscalls.h"
#undef SYSCALL

static const call calls[] = {
#define SYSCALL(number, name, ret, params) [number] = sys_##name,
#include "kernel/syscalls.h"
#undef SYSCALL
};

static int64 unknown(uint64 number) {
  struct proc *p = myproc();
  printf_blocking("%d %s: unknown system call %ld\n", p->pid, p->name, number);
  return -ENOSYS;
}

void syscall(struct trapframe *tf) {
  inject_paint_stack();
  uint64 number = tf->a[7];
  int64 result;
  if (likely(number < ARRAY_LEN(calls) && calls[number] != NULL))
    result = calls[number](tf->a);
  else
    result = unknown(number);
  tf->a[0] = result < 0 ? -1 : result;
}

int arg_path(const uint64 *a, int n, char *path) {
  int64 length = copyinstr(myproc()->vm, path, a[n], MAXPATH);
  return length < 0 ? length : 0;
}
