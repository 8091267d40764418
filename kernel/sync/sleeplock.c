// Sleeping mutual exclusion: an owner, and a queue of those who wait for it.
//
// Uncontended acquire and release are one atomic operation each.  A thread that has to wait
// sets the WAITED bit under `lk`; from then on both fast paths fail, and every thread comes
// through `lk` until none waits any more.
//
// A lock that is given back is free for the first that asks, which need not be the waiter
// that was woken for it: so a holder that takes it again at once does not have to wait for
// a switch (no convoy).  But a waiter that was woken in vain goes back to the head of the
// queue, and after PASSES_MAX such wakeups the next release hands the lock over to the
// head: it makes that thread the owner before it runs.
#include "sync/sleeplock.h"

#include "arch/current.h"
#include "debug/explore.h"
#include "kernel/atomic.h"
#include "lib/assert.h"
#include "sync/lockdebug.h"

#define WAITED      1UL
#define PASSES_MAX  4

void initsleeplock(struct sleeplock *sl, enum lock_class class) {
  sl->word = 0;
  sl->class = class;
  initlock(&sl->lk, LOCK_SLEEPLOCK);
  sl->passes = 0;
  waitq_init(&sl->waiters);
}

static uint64 me(void) { return (uint64)myproc(); }

// `lk` is held.
static uint64 waited_bit(const struct sleeplock *sl) {
  return list_empty(&sl->waiters.sleepers) ? 0 : WAITED;
}

static NOINLINE void lock_slow(struct sleeplock *sl) {
  ASSERT(!holdingsleep(sl));
  acquire(&sl->lk);
  bool woken = false;
  for (;; woken = true) {
    uint64 owner = atomic_or_full(&sl->word, WAITED) & ~WAITED;
    if (owner == 0 || owner == me()) break;
    if (woken) {
      sl->passes++;
      sleep_again(&sl->waiters, &sl->lk);
    } else {
      sleep(&sl->waiters, &sl->lk);
    }
  }
  if (woken) sl->passes = 0;
  atomic_store(&sl->word, me() | waited_bit(sl));
  release(&sl->lk);
}

static inline void take(struct sleeplock *sl) {
  explore_yield();
  uint64 free = 0;
  if (!atomic_cas_acquire(&sl->word, &free, me())) lock_slow(sl);
}

void acquiresleep(struct sleeplock *sl) {
  lockdebug_sleep(sl, sl->class, NO_PEERS, __builtin_return_address(0));
  take(sl);
}

void acquiresleep_nested(struct sleeplock *sl) {
  lockdebug_sleep(sl, sl->class, ANY_PEERS, __builtin_return_address(0));
  take(sl);
}

bool tryacquiresleep(struct sleeplock *sl) {
  explore_yield();
  uint64 free = 0;
  if (!atomic_cas_acquire(&sl->word, &free, me())) return false;
  lockdebug_sleep(sl, sl->class, ANY_PEERS, __builtin_return_address(0));
  return true;
}

static NOINLINE void wake_next(struct sleeplock *sl) {
  acquire(&sl->lk);
  struct proc *next = wakeup_one(&sl->waiters);
  uint64 heir = sl->passes >= PASSES_MAX ? (uint64)next : 0;
  atomic_store_release(&sl->word, heir | waited_bit(sl));
  release(&sl->lk);
}

void releasesleep(struct sleeplock *sl) {
  ASSERT(holdingsleep(sl));
  uint64 mine = me();
  if (!atomic_cas_release(&sl->word, &mine, 0)) wake_next(sl);
  lockdebug_unsleep(sl);
}

// No lock needed: the answer can only change by the caller's own doing.
bool holdingsleep(struct sleeplock *sl) { return (atomic_load(&sl->word) & ~WAITED) == me(); }
