// Sleeping mutual exclusion: an owner, and a queue of those who wait for it.
#include "sync/sleeplock.h"

#include "debug/explore.h"
#include "lib/assert.h"
#include "lib/atomic.h"
#include "arch/current.h"
#include "sync/lockdebug.h"

void initsleeplock(struct sleeplock *sl, enum lock_class class) {
  initlock(&sl->lk, LOCK_SLEEPLOCK);
  sl->class = class;
  sl->owner = NULL;
  waitq_init(&sl->waiters);
}

static void take(struct sleeplock *sl) {
  explore_yield();
  acquire(&sl->lk);
  ASSERT(sl->owner != myproc());
  while (sl->owner != NULL) sleep(&sl->waiters, &sl->lk);
  atomic_store(&sl->owner, myproc());
  release(&sl->lk);
}

void acquiresleep(struct sleeplock *sl) {
  lockdebug_sleep(sl, sl->class, false, __builtin_return_address(0));
  take(sl);
}

void acquiresleep_nested(struct sleeplock *sl) {
  lockdebug_sleep(sl, sl->class, true, __builtin_return_address(0));
  take(sl);
}

void releasesleep(struct sleeplock *sl) {
  ASSERT(holdingsleep(sl));
  acquire(&sl->lk);
  atomic_store(&sl->owner, NULL);
  wakeup_one(&sl->waiters);
  release(&sl->lk);
  lockdebug_unsleep(sl);
}

// No lock needed: the answer can only change by the caller's own doing.
bool holdingsleep(struct sleeplock *sl) { return atomic_load(&sl->owner) == myproc(); }
