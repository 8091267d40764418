// The platform-level interrupt controllers (RISC-V PLIC specification 1.0.0): one, or one
// for the harts of each NUMA node.
//
// Every source of a controller is sent to one hart, the first of those it can interrupt:
// an interrupt then wakes one hart, not all that idle, and handlers of one source never
// overlap.
#include "dev/plic.h"

#include "arch/hart.h"
#include "arch/mmio.h"
#include "lib/assert.h"

#define MAX_SOURCES  64

// Physical addresses of registers; `n` is the number of a context.
static uint64 base(const struct plic_context *c) { return machine.plics[c->plic].base; }
static uint64 priority(uint32 plic, uint32 irq) { return machine.plics[plic].base + 4 * irq; }
static uint64 enable(const struct plic_context *c, uint32 n, uint32 irq) {
  return base(c) + 0x2000 + 0x80 * n + irq / 32 * 4;
}
static uint64 threshold(const struct plic_context *c, uint32 n) {
  return base(c) + 0x200000 + 0x1000 * n;
}
static uint64 claim(const struct plic_context *c, uint32 n) { return threshold(c, n) + 4; }

// [const after boot] by controller and source
static void (*handlers[MAX_PLICS][MAX_SOURCES])(void);

// The context that a controller's sources are sent to, or NULL.
static const struct plic_context *target(uint32 plic) {
  for (uint32 id = 0; id < NCPU; id++) {
    const struct plic_context *c = &machine.contexts[id];
    if ((machine.harts & hart_bit(id)) && c->exists && c->plic == plic) return c;
  }
  return NULL;
}

void plic_init(void) {
  for (uint32 plic = 0; plic < machine.plic_count; plic++)
    for (uint32 irq = 1; irq < MAX_SOURCES; irq++) mmio_write(priority(plic, irq), 0);
}

void plic_init_hart(void) {
  const struct plic_context *c = &machine.contexts[this_hart()->id];
  if (!c->exists) return;
  for (uint32 irq = 0; irq < MAX_SOURCES; irq += 32)
    if (c != target(c->plic)) mmio_write(enable(c, c->number, irq), 0);
  mmio_write(threshold(c, c->number), 0);
}

static void enable_source(const struct plic_context *c, uint32 n, uint32 irq) {
  mmio_write(enable(c, n, irq), mmio_read(enable(c, n, irq)) | 1u << irq % 32);
}

bool plic_register(const struct mmio_device *device, void (*handler)(void)) {
  uint32 plic = 0, irq = device->source;
  while (plic < machine.plic_count && machine.plics[plic].phandle != device->controller) plic++;
  const struct plic_context *c = plic < machine.plic_count ? target(plic) : NULL;
  if (c == NULL || irq == 0 || irq >= MAX_SOURCES) return false;
  ASSERT(handlers[plic][irq] == NULL);
  handlers[plic][irq] = handler;
  mmio_write(priority(plic, irq), 1);
  enable_source(c, c->number, irq);
  if (machine.plic_count > 1) enable_source(c, c->machine_number, irq);
  return true;
}

// QEMU 7.2 mixes up the two contexts of a hart on all NUMA nodes but the first: it then
// interrupts supervisor mode for that of machine mode.  So with several controllers a source
// is enabled in both, and an interrupt that the one knows nothing of is looked for in the
// other.  Machine mode does not take external interrupts.
void plic_interrupt(void) {
  const struct plic_context *c = &machine.contexts[this_hart()->id];
  ASSERT(c->exists);
  uint32 n = c->number, irq = mmio_read(claim(c, n));
  if (irq == 0) {
    n = c->machine_number;
    irq = mmio_read(claim(c, n));
  }
  for (; irq != 0; irq = mmio_read(claim(c, n))) {
    ASSERT(irq < MAX_SOURCES && handlers[c->plic][irq] != NULL);
    handlers[c->plic][irq]();
    mmio_write(claim(c, n), irq);
  }
}
