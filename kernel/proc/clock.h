// What is due when: the end of a process's turn, and the end of sleeps.
#pragma once

#include "lib/types.h"

// How often a process that runs on may be made to give way.
#define TURNS_PER_SECOND  100

// This hart has begun (or ceased) to run processes: the timer is set accordingly.
// Interrupts off.
void clock_busy(bool busy);

// The timer may have fired: wakes whose time has come, sets the next deadline.
// Returns whether it had.  From the trap path, interrupts off.
bool clock_interrupt(void);

// How long the turn that ended last on this hart was, in clock ticks.  Interrupts off.
uint64 clock_turn(void);

// Sleeps for n ticks of 0.1 s; n <= 0 returns at once.  Returns 0, or -EINTR when
// killed.
int clock_sleep(int n);

// Ticks since boot.
uint64 clock_ticks(void);

// Once at boot, before any hart schedules.
void clock_init(void);
