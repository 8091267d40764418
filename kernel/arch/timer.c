// Timers: stimecmp where the hart has Sstc, otherwise the CLINT's mtimecmp, whose
// machine interrupt arrives as a supervisor software interrupt (arch/entry.S).
#include "arch/timer.h"

#include "arch/csr.h"
#include "arch/devtree.h"
#include "arch/hart.h"
#include "arch/machine.h"
#include "arch/memlayout.h"

static uint64 boot_time;  // [const after boot]

uint64 tick_length(void) { return machine.timebase / TICKS_PER_SECOND; }
uint64 time_since_boot(void) { return time_now() - boot_time; }
void timer_init(void) { boot_time = time_now(); }

void timer_set(uint64 when) {
  struct hart *h = this_hart();
  h->deadline = when;
  if (machine_harts[h->id].features & FEATURE_SSTC)
    asm volatile("csrw %0, %1" : : "i"(CSR_STIMECMP), "r"(when));
  else
    *(volatile uint64 *)pa_to_va(machine_harts[h->id].timecmp) = when;
}

// An interrupt may come for a deadline that has been replaced: QEMU's timer thread can
// raise it just after the new one was written.  It then stays pending, or machine mode
// has silenced the timer, until the deadline is written once more.
bool timer_due(void) {
  uint64 deadline = this_hart()->deadline;
  bool due = time_now() >= deadline;
  timer_set(due ? ~0UL : deadline);
  return due;
}
