// The platform-level interrupt controller (RISC-V PLIC specification 1.0).
#pragma once

#include "lib/types.h"

// Resets priorities.  Once, on the boot hart.
void plic_init(void);

// Lets this hart take external interrupts.
void plic_init_hart(void);

// Sends interrupt source `irq` to `handler`, which runs with interrupts off on
// any one hart at a time.  Boot time only.
void plic_register(uint32 irq, void (*handler)(void));

// Claims, handles and completes what is pending.  From the trap path.
void plic_interrupt(void);
