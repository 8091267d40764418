// Inter-processor interrupts.
//
// The sender adds a reason to the target's word and rings its CLINT; machine
// mode turns that into a supervisor software interrupt (arch/entry.S).
#pragma once

#include "arch/hart.h"

enum ipi_reason {
  IPI_RESCHEDULE = 1,  // look at your run queue, or at your process's killed flag
  IPI_SHOOTDOWN = 2,   // mm/tlb.c
};

// Interrupts hart `id` for `reason`.  Everything written before is visible to the
// handler.  Interrupts off: a sender that finds the reason set leaves the bell to the
// one that set it, which must not be preempted before it rings.
void ipi_send(uint32 id, enum ipi_reason reason);

// Takes this hart's pending reasons.  Interrupts off.
uint32 ipi_take(void);
