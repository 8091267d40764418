// Progress: noticing that there is none, and saying where everyone stands.
//
// A wait for another hart (a spinlock, a TLB shootdown) that takes STALL_SECONDS is
// our bug, and panics in every build.  Boot option watchdog=SECONDS, made for tests,
// also panics when a process runs that long inside the kernel without a pause, when a
// spinlock was held that long (DEBUG builds), and when nothing runs, nobody waits for
// the clock, a device or a person, and so nothing ever will.  (A program may do the
// last to itself, with a pipe that it alone has: without the option that is its own
// affair.)  The panic prints every process's and every hart's backtrace and, in a
// DEBUG build, every lock that is held.
//
// Time here is seconds that were noticed to pass.  A host may stop the machine, or one of
// its harts, for as long as it likes, and the clock goes on: that is no bug of the kernel.
// So a look at the clock counts one second at most, whatever it shows.
#pragma once

#include "lib/types.h"

#define STALL_SECONDS  60

// A wait in a loop: zeroed before it, asked in each round.
struct patience {
  uint32 rounds;
  uint32 seconds;  // that were noticed to pass
  uint64 last;     // clock ticks
};

// Whether the wait has taken STALL_SECONDS, as far as this hart noticed.  Interrupts off.
bool patience_ends(struct patience *w);

// The machine's seconds.  Clock interrupts, idle harts and spinning ones look at the clock
// for all; while none of them does, no second passes.  Any context.
uint64 stall_seconds(void);

// How many of them certainly passed since `begin` while the machine ran, even if it paused
// once: two fewer than were counted.
uint64 stall_seconds_since(uint64 begin);

// Looks at the clock, which shows `now`, in clock ticks.  Any context.
void stall_look(uint64 now);

// For a hart that needs another one to get on: has its timer fire in a moment.  The
// clock sets it right then.  Interrupts off; `now`: clock ticks.
void let_others_run(uint64 now);

// Reads the boot option.
void stall_init(void);

// How many seconds are too long: as the option says; without it, for ever.
uint64 stall_limit(void);

// How often, in clock ticks, an idle hart must look at the clock; 0: as it likes.
uint64 stall_idle_turn(void);

// Brackets around a wait for the clock, a device or a person.
void stall_outside_begin(void);
void stall_outside_end(void);

// The turn of the calling process is over, inside the kernel.  Interrupts off.
void stall_kernel_turn(void);

// This hart has found nothing to do, again.  `all_idle`: nor has any other.
void stall_idle(bool all_idle);
