// Starting and addressing the machine-mode half of each hart (arch/entry.S).
#include "arch/machine.h"

#include "arch/devtree.h"
#include "arch/mmio.h"
#include "kernel/atomic.h"

// In .data: harts read it before anything could have cleared .bss.
struct machine_hart machine_harts[NCPU] __attribute__((section(".data")));
uint32 machine_stop __attribute__((section(".data")));

// The bells and timers of all harts are silent afterwards.  Nothing that other harts read
// is written between this and `go`, and writes to one register keep their order: so the
// bell of a start is not undone.
void machine_interrupts_on(void) {
  for (uint32 id = 0; id < NCPU; id++) {
    if (!(machine.harts & hart_bit(id))) continue;
    mmio_write(machine_harts[id].msip, 0);
    *(volatile uint64 *)pa_to_va(machine_harts[id].timecmp) = ~0UL;
  }
  mmio_written();
  asm volatile("ecall" : : : "memory");
}

void machine_start_hart(uint32 id, uint64 satp, uint64 sp, uint64 tp) {
  struct machine_hart *m = &machine_harts[id];
  m->satp = satp;
  m->sp = sp;
  m->tp = tp;
  atomic_store_release(&m->go, 1);
  mmio_write(m->msip, 1);
}
