// Sleeping reader-writer lock.
//
// The fast path is one atomic operation on the word.  Whoever finds the lock
// taken, or others waiting, draws a ticket and waits for its turn and for the
// word to allow it.  A holder that leaves while bit WAITED is set wakes the
// queue: either its own atomic operation sees the bit, or the waiter, which sets
// the bit before it looks, sees the lock free.
#include "sync/rwlock.h"

#include "arch/csr.h"
#include "debug/explore.h"
#include "lib/assert.h"
#include "lib/atomic.h"
#include "sync/lockdebug.h"

#define OWNED   (1u << 31)
#define WAITED  (1u << 30)
#define SHARERS (WAITED - 1)

void rwlock_init(struct rwlock *rw, enum lock_class class) {
  rw->word = 0;
  rw->class = class;
  initlock(&rw->lk, LOCK_RWLOCK);
  rw->next_ticket = rw->serving = 0;
  waitq_init(&rw->waiters);
}

// Waits in the queue, then adds `mine` to the word once no bit of `conflict` is
// set in it.
static void queue_up(struct rwlock *rw, uint32 mine, uint32 conflict) {
  acquire(&rw->lk);
  uint32 ticket = rw->next_ticket++;
  for (;;) {
    uint32 word = atomic_or(&rw->word, WAITED) | WAITED;
    if (rw->serving != ticket || (word & conflict) != 0)
      sleep(&rw->waiters, &rw->lk);
    else if (atomic_cas(&rw->word, word, word + mine))
      break;
  }
  rw->serving++;
  if (rw->serving == rw->next_ticket)
    atomic_and(&rw->word, ~WAITED);
  else
    wakeup(&rw->waiters);  // the next may share with us
  release(&rw->lk);
}

static void wake_waiters(struct rwlock *rw) {
  acquire(&rw->lk);
  wakeup(&rw->waiters);
  release(&rw->lk);
}

void rwlock_share(struct rwlock *rw) {
  ASSERT(intr_get());
  lockdebug_sleep(rw, rw->class, false, __builtin_return_address(0));
  explore_yield();
  uint32 word = atomic_load(&rw->word);
  while (!(word & (OWNED | WAITED)))
    if (__atomic_compare_exchange_n(&rw->word, &word, word + 1, true, __ATOMIC_ACQUIRE,
                                    __ATOMIC_RELAXED))
      return;
  queue_up(rw, 1, OWNED);
}

void rwlock_own(struct rwlock *rw) {
  ASSERT(intr_get());
  lockdebug_sleep(rw, rw->class, false, __builtin_return_address(0));
  explore_yield();
  uint32 free = 0;
  if (!__atomic_compare_exchange_n(&rw->word, &free, OWNED, false, __ATOMIC_ACQUIRE,
                                   __ATOMIC_RELAXED))
    queue_up(rw, OWNED, OWNED | SHARERS);
}

void rwlock_unshare(struct rwlock *rw) {
  lockdebug_unsleep(rw);
  uint32 before = __atomic_fetch_sub(&rw->word, 1, __ATOMIC_RELEASE);
  ASSERT((before & SHARERS) != 0 && !(before & OWNED));
  if (unlikely((before & WAITED) && (before & SHARERS) == 1)) wake_waiters(rw);
}

void rwlock_disown(struct rwlock *rw) {
  lockdebug_unsleep(rw);
  uint32 before = __atomic_fetch_and(&rw->word, ~OWNED, __ATOMIC_RELEASE);
  ASSERT(before & OWNED);
  if (unlikely(before & WAITED)) wake_waiters(rw);
}

bool rwlock_is_held(const struct rwlock *rw) { return atomic_load(&rw->word) & (OWNED | SHARERS); }
