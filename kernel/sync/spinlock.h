// Spinlocks: for short critical sections that never sleep.
//
// Interrupts stay off on a hart from its first acquire to its last release, so
// an interrupt handler can take the same locks.  Whoever holds a spinlock must
// not sleep, touch user memory or start a TLB shootdown: those assert that
// interrupts are on.
//
// A lock is one word:
//   bits 31..16  its class (sync/lockrank.h), constant
//   bits 15..0   0: free; otherwise 1 + the number of the hart that holds it
#pragma once

#include "lib/types.h"
#include "sync/lockrank.h"

struct spinlock {
  uint32 word;  // [atomic]
};

// A static lock: `static struct spinlock lock = SPINLOCK(PIPE);`
#define SPINLOCK(name)  { (uint32)LOCK_##name << 16 }

void initlock(struct spinlock *lk, enum lock_class class);

// Waits until the lock is free and takes it.  Panics when this hart holds it.
void acquire(struct spinlock *lk);

// The same for a second lock of a class of which one is held; the caller knows
// the order among them.
void acquire_nested(struct spinlock *lk);

// Gives the lock back.  Panics when this hart does not hold it.
void release(struct spinlock *lk);

// Whether this hart holds the lock.
bool holding(const struct spinlock *lk);

// Interrupts off, nestable: as many pop_off as push_off, and the outermost
// pop_off restores what the outermost push_off found.
void push_off(void);
void pop_off(void);
