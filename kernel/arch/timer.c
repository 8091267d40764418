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

bool timer_due(void) {
  if (time_now() < this_hart()->deadline) return false;
  timer_set(~0UL);
  return true;
}
