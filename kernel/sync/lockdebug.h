// The lock-rank checker of DEBUG builds: every acquisition must go down the list
// in sync/lockrank.h.  In a default build all of this is nothing.
#pragma once

#include "lib/types.h"
#include "sync/lockrank.h"

const char *lock_name(enum lock_class class);

#ifdef DEBUG

// The sleeping locks that a process holds, by class.
struct held_locks {
  uint8 count[LOCK_COUNT];
};

// The calling process's; implemented by proc/.
struct held_locks *held_sleeping_locks(void);

// A spinlock is about to be taken (interrupts off) or has been given back.
// `nested`: one of the same class may be held.
void lockdebug_spin(enum lock_class class, bool nested);
void lockdebug_unspin(enum lock_class class);

// The same for whatever is held while sleeping: locks, a log reservation.
void lockdebug_sleep(enum lock_class class, bool nested);
void lockdebug_unsleep(enum lock_class class);

#else
static inline void lockdebug_spin(enum lock_class class, bool nested) { (void)class, (void)nested; }
static inline void lockdebug_unspin(enum lock_class class) { (void)class; }
static inline void lockdebug_sleep(enum lock_class class, bool nested) { (void)class, (void)nested; }
static inline void lockdebug_unsleep(enum lock_class class) { (void)class; }
#endif
