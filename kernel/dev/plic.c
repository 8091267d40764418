// The platform-level interrupt controller (RISC-V PLIC specification 1.0.0).
//
// Every source is sent to the boot hart alone: an interrupt then wakes one hart,
// not all that idle, and handlers of one source never overlap.
#include "dev/plic.h"

#include "arch/hart.h"
#include "arch/mmio.h"
#include "lib/assert.h"

#define MAX_SOURCES  64
#define BOOT_HART    0

// Of virt: each hart has a machine context and a supervisor context after it.
static uint64 context(uint32 hart) { return 2 * hart + 1; }

// Physical addresses of registers.
static uint64 priority(uint32 irq) { return PLIC + 4 * irq; }
static uint64 enable(uint32 hart, uint32 irq) {
  return PLIC + 0x2000 + 0x80 * context(hart) + irq / 32 * 4;
}
static uint64 threshold(uint32 hart) { return PLIC + 0x200000 + 0x1000 * context(hart); }
static uint64 claim(uint32 hart) { return threshold(hart) + 4; }

static void (*handlers[MAX_SOURCES])(void);  // [const after boot]

void plic_init(void) {
  for (uint32 irq = 1; irq < MAX_SOURCES; irq++) mmio_write(priority(irq), 0);
}

void plic_init_hart(void) {
  uint32 id = this_hart()->id;
  for (uint32 irq = 0; irq < MAX_SOURCES; irq += 32)
    if (id != BOOT_HART) mmio_write(enable(id, irq), 0);
  mmio_write(threshold(id), 0);
}

void plic_register(uint32 irq, void (*handler)(void)) {
  ASSERT(irq > 0 && irq < MAX_SOURCES && handlers[irq] == NULL);
  handlers[irq] = handler;
  mmio_write(priority(irq), 1);
  mmio_write(enable(BOOT_HART, irq), mmio_read(enable(BOOT_HART, irq)) | 1u << irq % 32);
}

void plic_interrupt(void) {
  uint32 id = this_hart()->id;
  for (uint32 irq; (irq = mmio_read(claim(id))) != 0;) {
    ASSERT(irq < MAX_SOURCES && handlers[irq] != NULL);
    handlers[irq]();
    mmio_write(claim(id), irq);
  }
}
