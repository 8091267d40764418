// Traps: from user mode and from the kernel.  arch/trap.S saves the registers and
// calls usertrap or kerneltrap.
//
// scause, stval and sepc belong to the hart and are overwritten by the next trap,
// so they are read before interrupts are enabled.
#include "sys/trap.h"

#include "arch/csr.h"
#include "arch/hart.h"
#include "arch/ipi.h"
#include "arch/offsets.h"
#include "arch/pte.h"
#include "arch/trapframe.h"
#include "debug/panic.h"
#include "debug/stall.h"
#include "debug/stats.h"
#include "dev/plic.h"
#include "lib/assert.h"
#include "lib/errno.h"
#include "lib/printf.h"
#include "mm/fault.h"
#include "mm/tlb.h"
#include "mm/vm.h"
#include "proc/clock.h"
#include "proc/proc.h"
#include "proc/sched.h"
#include "sys/syscall.h"

extern char trap_vector[];

void trap_init_hart(void) {
  csr_write(sscratch, 0);
  csr_set(sstatus, SSTATUS_SPIE);  // as arch/trap.S wants it; SPP is 0 since reset
  csr_write(stvec, (uint64)trap_vector);
  csr_write(scounteren, 7);  // programs may read cycle, time and instret
  csr_write(sie, SIE_SOFT | SIE_TIMER | SIE_EXTERNAL);
}

static const char *cause_name(uint64 cause) {
  static const char *const names[] = {
      "misaligned fetch", "fetch access fault", "illegal instruction", "breakpoint",
      "misaligned load",  "load access fault",  "misaligned store",    "store access fault",
      "user call",        "supervisor call",    "reserved",            "machine call",
      "fetch page fault", "load page fault",    "reserved",            "store page fault"};
  if (cause & CAUSE_INTERRUPT) return "interrupt";
  return cause < ARRAY_LEN(names) ? names[cause] : "unknown";
}

// What the hart wanted to do, as a page-table right; 0 for other causes.
static inline uint64 access_of(uint64 cause) {
  if (likely(cause == CAUSE_STORE_FAULT)) return PTE_W;
  if (cause == CAUSE_LOAD_FAULT) return PTE_R;
  return cause == CAUSE_FETCH_FAULT ? PTE_X : 0;
}

static const char *reason(struct vm *vm, uint64 va, int err) {
  if (err == -ENOMEM) return "no memory";
  const struct region *r = vm_region(vm, va);
  if (r == NULL) return "no region";
  if (r->kind == REGION_GUARD) return "stack guard";
  return r->prot & PTE_W ? "not executable" : "read-only";
}

static __attribute__((noreturn, cold)) void die(const char *why) {
  struct proc *p = myproc();
  const struct trapframe *tf = p->tf;
  printf_blocking("usertrap: %s (scause %ld) pid=%d name=%s sepc=0x%lx stval=0x%lx: %s\n",
         cause_name(tf->cause), tf->cause, p->pid, p->name, tf->sepc, tf->value, why);
  exit_process();
}

// A fault that cannot be resolved: ends the process.  The first program alone waits for
// memory, and tries again: with it the machine would end, by the doing of others.
static __attribute__((cold)) void unresolved(struct vm *vm, int err) {
  const char *why = reason(vm, myproc()->tf->value, err);
  rwlock_unshare(&vm->lock);
  if (err != -ENOMEM || myproc()->leader != init_proc) die(why);
  clock_sleep(1);
}

// Not in line, since a system call needs fewer registers.
static NOINLINE void page_fault(uint64 va, uint64 access) {
  struct vm *vm = myproc()->vm;
  rwlock_share(&vm->lock);
  int err = vmfault(vm, va, access);
  if (likely(err == 0))
    rwlock_unshare(&vm->lock);
  else
    unresolved(vm, err);
}

// Handles an interrupt, interrupts off.  Returns whether the running process's turn
// is over.
static bool interrupt(uint64 cause) {
  switch (cause) {
    case CAUSE_SOFT_IRQ:
      if (ipi_take() & IPI_SHOOTDOWN) tlb_answer();
      return clock_interrupt();  // a timer of machine mode comes this way
    case CAUSE_TIMER_IRQ:
      return clock_interrupt();
    case CAUSE_EXTERNAL_IRQ:
      stat_add(STAT_INTERRUPTS, 1);
      plic_interrupt();
      return false;
    default:
      panic("interrupt %lx, which was not enabled", cause);
  }
}

// The end of every way to user mode.  Looked at with interrupts off: a request that comes
// later interrupts user mode.
static inline void obey_pending(void) {
  intr_off();
  while (unlikely(killed(myproc()))) {
    intr_on();
    obey_stop();
    intr_off();
  }
}

void first_return(void) { obey_pending(); }

void usertrap(struct trapframe *tf) {
  uint64 cause = csr_read(scause);
  if (likely(cause == CAUSE_USER_ECALL)) {
    tf->sepc += 4;
    intr_on();
    syscall(tf);
  } else if (cause & CAUSE_INTERRUPT) {
    if (interrupt(cause)) sched_tick();
  } else {
    tf->cause = cause;
    tf->value = csr_read(stval);
    intr_on();
    uint64 access = access_of(cause);
    if (unlikely(access == 0)) die("not allowed to a program");
    page_fault(tf->value, access);
  }
  obey_pending();
}

void kerneltrap(struct trapframe *tf) {
  uint64 cause = csr_read(scause);
  if (unlikely(!(cause & CAUSE_INTERRUPT)))
    panic_trap(tf, cause_name(cause), cause, csr_read(stval));
  ASSERT(this_hart()->off_depth == 0);
  if (interrupt(cause)) {
    stall_kernel_turn();
    sched_tick();
  }
}

void kernel_stack_overflow(uint64 sp) {
  panic("kernel stack overflow: sp %lx of process %d ends in the guard, sepc %lx", sp,
        myproc()->pid, csr_read(sepc));
}
