// Starting and addressing the machine-mode half of each hart (arch/entry.S).
#include "arch/machine.h"

#include "arch/mmio.h"
#include "kernel/atomic.h"

// In .data: harts read it before anything could have cleared .bss.
struct machine_hart machine_harts[NCPU] __attribute__((section(".data")));
uint32 machine_stop __attribute__((section(".data")));

void machine_start_hart(uint32 id, uint64 satp, uint64 sp, uint64 tp) {
  struct machine_hart *m = &machine_harts[id];
  m->satp = satp;
  m->sp = sp;
  m->tp = tp;
  atomic_store_release(&m->go, 1);
  mmio_write(CLINT + 4 * id, 1);
}
