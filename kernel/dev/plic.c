// The platform-level interrupt controller (RISC-V PLIC specification 1.0.0).
//
// Every source is sent to the boot hart alone: an interrupt then wakes one hart,
// not all that idle, and handlers of one source never overlap.
#include "dev/plic.h"

#include "arch/hart.h"
#include "arch/memlayout.h"
#include "lib/assert.h"

#define MAX_SOURCES  64
#define BOOT_HART    0

// Of virt: each hart has a machine context and a supervisor context after it.
static uint64 context(uint32 hart) { return 2 * hart + 1; }

static volatile uint32 *reg(uint64 offset) { return pa_to_va(PLIC + offset); }
static volatile uint32 *priority(uint32 irq) { return reg(4 * irq); }
static volatile uint32 *enable(uint32 hart, uint32 irq) {
  return reg(0x2000 + 0x80 * context(hart) + irq / 32 * 4);
}
static volatile uint32 *threshold(uint32 hart) { return reg(0x200000 + 0x1000 * context(hart)); }
static volatile uint32 *claim(uint32 hart) { return reg(0x200004 + 0x1000 * context(hart)); }

static void (*handlers[MAX_SOURCES])(void);  // [const after boot]

void plic_init(void) {
  for (uint32 irq = 1; irq < MAX_SOURCES; irq++) *priority(irq) = 0;
}

void plic_init_hart(void) {
  uint32 id = this_hart()->id;
  for (uint32 irq = 0; irq < MAX_SOURCES; irq += 32)
    if (id != BOOT_HART) *enable(id, irq) = 0;
  *threshold(id) = 0;
}

void plic_register(uint32 irq, void (*handler)(void)) {
  ASSERT(irq > 0 && irq < MAX_SOURCES && handlers[irq] == NULL);
  handlers[irq] = handler;
  *priority(irq) = 1;
  *enable(BOOT_HART, irq) |= 1u << irq % 32;
}

void plic_interrupt(void) {
  uint32 id = this_hart()->id;
  for (uint32 irq; (irq = *claim(id)) != 0;) {
    ASSERT(irq < MAX_SOURCES && handlers[irq] != NULL);
    handlers[irq]();
    *claim(id) = irq;
  }
}
