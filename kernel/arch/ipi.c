// Inter-processor interrupts through the CLINT's msip registers.
#include "arch/ipi.h"

#include "arch/csr.h"
#include "arch/machine.h"
#include "arch/mmio.h"
#include "kernel/atomic.h"
#include "lib/assert.h"

void ipi_send(uint32 id, enum ipi_reason reason) {
  ASSERT(!intr_get());
  if (atomic_or_full(&harts[id].ipi, reason) & reason) return;  // still on its way
  mmio_write(machine_harts[id].msip, 1);
}

uint32 ipi_take(void) {
  csr_clear(sip, SIE_SOFT);
  return atomic_swap_full(&this_hart()->ipi, 0);
}
