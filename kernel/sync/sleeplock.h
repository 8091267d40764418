// Sleeping mutual exclusion, for sections that may do I/O or touch user memory.
// Not for interrupt handlers.  A kill does not end the wait.
//
// The word is the address of the owner's struct proc, or 0 when the lock is free; bit 0
// says that somebody waits, and then it is changed with `lk` held only.
#pragma once

#include "sync/spinlock.h"
#include "sync/waitq.h"

struct sleeplock {
  uint64 word;            // [atomic]
  enum lock_class class;  // [const]
  struct spinlock lk;
  uint32 passes;          // [lk] wakeups in vain since a waiter got the lock last
  struct waitq waiters;   // [lk]
};

void initsleeplock(struct sleeplock *sl, enum lock_class class);

// Sleeps until the lock is free and takes it.  No spinlock held.
void acquiresleep(struct sleeplock *sl);

// The same for a second lock of a class of which one is held; the caller knows the
// order among them.
void acquiresleep_nested(struct sleeplock *sl);

// Takes the lock if it is free, and never waits, so that no order has to allow it: with
// locks of the same class held, too.  Returns whether it did.
bool tryacquiresleep(struct sleeplock *sl);

// Gives the lock back and wakes the next, or makes it the owner if others have been
// faster too often.  Panics for anyone but its owner.
void releasesleep(struct sleeplock *sl);

// Whether the calling process holds the lock.
bool holdingsleep(struct sleeplock *sl);
