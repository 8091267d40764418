// Schedule exploration: boot option seed=N makes harts meet in ways that they seldom
// would by themselves.
//
// In every build turns have lengths drawn from N, from microseconds to a few usual
// turns.  (Under `-icount shift=0,sleep=off` QEMU runs several harts in turn and goes
// on to the next at each timer deadline, so there N chooses the interleaving, and the
// same N brings back the same run.)  In a DEBUG build, places where
// harts can get in each other's way call explore(), and there, after a number of
// calls drawn from N, the hart waits for a while or, at explore_yield(), lets another
// process run.  Changes are few and at random depths: noise everywhere would only
// slow all harts alike (compare Burckhardt et al., "A randomized scheduler with
// probabilistic guarantees of finding bugs", 2010).
#pragma once

#include "lib/types.h"

// Reads the option.
void explore_init(void);

// A turn's length in clock ticks: `usual`, unless the option was given.
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
