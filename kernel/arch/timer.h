// Each hart's clock interrupt.
#pragma once

#include "lib/types.h"

#define TICKS_PER_SECOND  10  // of uptime() and sleep(): one tick is 0.1 s

// Clock ticks (arch/csr.h: time_now) in one tick, and since boot.
uint64 tick_length(void);
uint64 time_since_boot(void);

// Notes the time of boot.  Once, after devtree_read.
void timer_init(void);

// Makes this hart's timer fire at `when` (clock ticks; ~0 for never), replacing
// what was set.  Interrupts off.
void timer_set(uint64 when);

// Whether this hart's timer is due; if so it is switched off.  Interrupts off.
bool timer_due(void);
