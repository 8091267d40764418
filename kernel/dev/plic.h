// The platform-level interrupt controllers (RISC-V PLIC specification 1.0).
#pragma once

#include "arch/devtree.h"

// Resets priorities.  Once, on the boot hart.
void plic_init(void);

// Lets this hart take external interrupts.
void plic_init_hart(void);

// Sends a device's interrupt to `handler`, which runs with interrupts off, always on the
// same hart.  Returns false if no hart that is used can take it.  Boot time only.
bool plic_register(const struct mmio_device *device, void (*handler)(void));

// Claims, handles and completes what is pending.  From the trap path.
void plic_interrupt(void);
