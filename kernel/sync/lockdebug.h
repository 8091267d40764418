// The lock checker of DEBUG builds.  It knows every lock that is held, by whom, since
// when and where it was taken, and panics with both places when a lock is taken
// against the order of sync/lockrank.h (whether or not it would block this time), is
// held already by the same thread, or is given back by another.  It also reports
// spinlocks that were held for long (with watchdog=N, one held for N seconds is a
// panic: debug/stall.h), and a panic prints all locks that are held.  In a default
// build all of this is nothing.
#pragma once

#include "kernel/param.h"
#include "lib/types.h"
#include "sync/lockrank.h"

const char *lock_name(enum lock_class class);

#ifdef DEBUG
#define LOCKDEBUG_PLACE  code_address()

// One lock that is held.
struct held_lock {
  const void *lock;       // its address: no two are the same
  enum lock_class class;
  uint64 place;           // address in the kernel's text, just after it was asked for
  uint64 since;           // stall_seconds()
};

// What a hart (spinlocks) or a process (whatever is held while sleeping) holds.
#define HELD_MOST  (NCPU + 16)  // kalloc holds every hart's FRAMES at its last try
struct held_locks {
  uint32 count;
  struct held_lock locks[HELD_MOST];
};

// The calling process's; implemented by proc/.
struct held_locks *held_sleeping_locks(void);

// A spinlock is about to be taken (interrupts off); the last one has been, after a
// wait that does not count; or one is given back.
void lockdebug_spin(const void *lock, enum lock_class class, enum lock_peers peers,
                    void *place);
void lockdebug_waited(void);
void lockdebug_unspin(const void *lock);

// The same for whatever is held while sleeping: locks, a log reservation.
void lockdebug_sleep(const void *lock, enum lock_class class, enum lock_peers peers,
                     void *place);
void lockdebug_unsleep(const void *lock);

// Panics when the calling process holds a sleeping lock of a class ranked behind `class`;
// for LOCK_NONE, any: for a wait that lasts as long as something outside makes it last.
void lockdebug_none_after(enum lock_class class);

// Panics unless the calling process holds a sleeping lock of `class`: one that makes what
// follows safe.
void lockdebug_needs(enum lock_class class);

// Prints a line for each of them: "holds or waits for CLASS, since PLACE".
void lockdebug_print(const struct held_locks *held);

#else
#define LOCKDEBUG_PLACE  NULL
static inline void lockdebug_spin(const void *lock, enum lock_class class,
                                  enum lock_peers peers, void *place) {
  (void)lock, (void)class, (void)peers, (void)place;
}
static inline void lockdebug_waited(void) {}
static inline void lockdebug_unspin(const void *lock) { (void)lock; }
static inline void lockdebug_sleep(const void *lock, enum lock_class class,
                                   enum lock_peers peers, void *place) {
  (void)lock, (void)class, (void)peers, (void)place;
}
static inline void lockdebug_unsleep(const void *lock) { (void)lock; }
static inline void lockdebug_none_after(enum lock_class class) { (void)class; }
static inline void lockdebug_needs(enum lock_class class) { (void)class; }
#endif
