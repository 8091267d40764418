// Sleeping reader-writer lock: many shared holders, or one exclusive.
//
// First come, first served among those who have to wait, so neither side
// starves; hence a shared holder must not ask for the lock again.  A kill does
// not end the wait.  The word:
//   bit 31      held exclusively
//   bit 30      somebody waits: everyone must go through the queue
//   bits 29..0  shared holders
#pragma once

#include "lib/types.h"
#include "sync/spinlock.h"
#include "sync/waitq.h"

struct rwlock {
  uint32 word;            // [atomic]
  enum lock_class class;  // [const]
  struct spinlock lk;
  uint32 next_ticket;     // [lk] of the next to queue up
  uint32 serving;         // [lk] ticket whose turn it is
  struct waitq waiters;   // [lk]
};

void rwlock_init(struct rwlock *rw, enum lock_class class);

// Take the lock, shared or exclusive.  May sleep: no spinlock held.
void rwlock_share(struct rwlock *rw);
void rwlock_own(struct rwlock *rw);

// Give it back.
void rwlock_unshare(struct rwlock *rw);
void rwlock_disown(struct rwlock *rw);

// Whether anyone holds it.  For assertions.
bool rwlock_is_held(const struct rwlock *rw);
