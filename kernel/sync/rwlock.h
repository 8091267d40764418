// Sleeping reader-writer lock: many shared holders, or one exclusive.
//
// First come, first served among those who have to wait, so neither side
// starves; hence a shared holder must not ask for the lock again.  A kill does
// not end the wait.  The word:
//   bit 31      held exclusively
//   bit 30      somebody waits: everyone must go through the queue
//   bits 29..0  shared holders
#pragma once

#include "arch/csr.h"
#include "debug/explore.h"
#include "kernel/atomic.h"
#include "lib/assert.h"
#include "lib/types.h"
#include "sync/lockdebug.h"
#include "sync/spinlock.h"
#include "sync/waitq.h"

#define RWLOCK_OWNED    (1u << 31)
#define RWLOCK_WAITED   (1u << 30)
#define RWLOCK_SHARERS  (RWLOCK_WAITED - 1)

struct rwlock {
  uint32 word;            // [atomic]
  enum lock_class class;  // [const]
  struct spinlock lk;
  uint32 next_ticket;     // [lk] of the next to queue up
  uint32 serving;         // [lk] ticket whose turn it is
  struct waitq waiters;   // [lk]
};

void rwlock_init(struct rwlock *rw, enum lock_class class);

// The slow paths: wait in the queue, then add `mine` to the word once no bit of
// `conflict` is set in it; wake the queue.
void rwlock_queue_up(struct rwlock *rw, uint32 mine, uint32 conflict);
void rwlock_wake(struct rwlock *rw);

// Take the lock, shared or exclusive.  May sleep: no spinlock held.
static ALWAYS_INLINE void rwlock_share(struct rwlock *rw) {
  ASSERT(intr_get());
  lockdebug_sleep(rw, rw->class, NO_PEERS, LOCKDEBUG_PLACE);
  explore_yield();
  uint32 word = atomic_load(&rw->word);
  while (likely(!(word & (RWLOCK_OWNED | RWLOCK_WAITED))))
    if (atomic_cas_acquire(&rw->word, &word, word + 1)) return;
  rwlock_queue_up(rw, 1, RWLOCK_OWNED);
}

static ALWAYS_INLINE void rwlock_own(struct rwlock *rw) {
  ASSERT(intr_get());
  lockdebug_sleep(rw, rw->class, NO_PEERS, LOCKDEBUG_PLACE);
  explore_yield();
  uint32 free = 0;
  if (!atomic_cas_acquire(&rw->word, &free, RWLOCK_OWNED))
    rwlock_queue_up(rw, RWLOCK_OWNED, RWLOCK_OWNED | RWLOCK_SHARERS);
}

// Give it back.
static inline void rwlock_unshare(struct rwlock *rw) {
  lockdebug_unsleep(rw);
  uint32 before = atomic_add_release(&rw->word, -1);
  ASSERT((before & RWLOCK_SHARERS) != 0 && !(before & RWLOCK_OWNED));
  if (unlikely((before & RWLOCK_WAITED) && (before & RWLOCK_SHARERS) == 1)) rwlock_wake(rw);
}

static inline void rwlock_disown(struct rwlock *rw) {
  lockdebug_unsleep(rw);
  uint32 before = atomic_and_release(&rw->word, ~RWLOCK_OWNED);
  ASSERT(before & RWLOCK_OWNED);
  if (unlikely(before & RWLOCK_WAITED)) rwlock_wake(rw);
}

// Whether anyone holds it.  For assertions.
static inline bool rwlock_is_held(const struct rwlock *rw) {
  return atomic_load(&rw->word) & (RWLOCK_OWNED | RWLOCK_SHARERS);
}
