// Schedule exploration: boot option seed=N makes harts meet in ways that they seldom
// would by themselves.
//
// In every build turns have lengths drawn from N.  In a DEBUG build, places where
// harts can get in each other's way call explore(), and there, after a number of
// calls drawn from N, the hart waits for a while or, at explore_yield(), lets another
// process run.  Changes are few and at random depths: noise everywhere would only
// slow all harts alike (compare Burckhardt et al., "A randomized scheduler with
// probabilistic guarantees of finding bugs", 2010).  Guests run on the clock of the
// host, so a seed chooses where to push, and does not fix the whole schedule.
#pragma once

#include "lib/types.h"

// Reads the option.
void explore_init(void);

// A turn's length in clock ticks, drawn around `usual`.
uint64 explore_turn(uint64 usual);

#ifdef DEBUG
// Any context: perhaps a delay.
void explore(void);

// Interrupts on, no spinlock held: perhaps a delay, perhaps another process's turn.
void explore_yield(void);
#else
static inline void explore(void) {}
static inline void explore_yield(void) {}
#endif
