// Sleeping mutual exclusion: an owner, and a queue of those who wait for it.
//
// Without contention either way is one atomic operation.  Who has to wait sets the
// WAITED bit under `lk`; from then on both fast paths fail, and everyone comes through
// `lk` until nobody waits any more.
#include "sync/sleeplock.h"

#include "arch/current.h"
#include "debug/explore.h"
#include "lib/assert.h"
#include "lib/atomic.h"
#include "sync/lockdebug.h"

#define WAITED  1UL

void initsleeplock(struct sleeplock *sl, enum lock_class class) {
  sl->word = 0;
  sl->class = class;
  initlock(&sl->lk, LOCK_SLEEPLOCK);
  waitq_init(&sl->waiters);
}

static uint64 me(void) { return (uint64)myproc(); }

// `lk` is held.
static uint64 waited_bit(const struct sleeplock *sl) {
  return list_empty(&sl->waiters.sleepers) ? 0 : WAITED;
}

static NOINLINE void queue_up(struct sleeplock *sl) {
  acquire(&sl->lk);
  uint64 word;
  while ((word = atomic_or(&sl->word, WAITED) & ~WAITED) != 0) {
    ASSERT(word != me());
    sleep(&sl->waiters, &sl->lk);
  }
  atomic_store(&sl->word, me() | waited_bit(sl));
  release(&sl->lk);
}

static inline void take(struct sleeplock *sl) {
  explore_yield();
  uint64 free = 0;
  if (!__atomic_compare_exchange_n(&sl->word, &free, me(), false, __ATOMIC_ACQUIRE,
                                   __ATOMIC_RELAXED))
    queue_up(sl);
}

void acquiresleep(struct sleeplock *sl) {
  lockdebug_sleep(sl, sl->class, false, __builtin_return_address(0));
  take(sl);
}

void acquiresleep_nested(struct sleeplock *sl) {
  lockdebug_sleep(sl, sl->class, true, __builtin_return_address(0));
  take(sl);
}

static NOINLINE void wake_next(struct sleeplock *sl) {
  acquire(&sl->lk);
  wakeup_one(&sl->waiters);
  atomic_store_release(&sl->word, waited_bit(sl));
  release(&sl->lk);
}

void releasesleep(struct sleeplock *sl) {
  ASSERT(holdingsleep(sl));
  if (!atomic_cas(&sl->word, me(), 0)) wake_next(sl);
  lockdebug_unsleep(sl);
}

// No lock needed: the answer can only change by the caller's own doing.
bool holdingsleep(struct sleeplock *sl) { return (atomic_load(&sl->word) & ~WAITED) == me(); }
