// Sleeping reader-writer lock.
//
// The fast path is one atomic operation on the word.  Whoever finds the lock
// taken, or others waiting, draws a ticket and waits for its turn and for the
// word to allow it.  A holder that leaves while RWLOCK_WAITED is set wakes the
// queue: either its own atomic operation sees the bit, or the waiter, which sets
// the bit before it looks, sees the lock free.
#include "sync/rwlock.h"

void rwlock_init(struct rwlock *rw, enum lock_class class) {
  rw->word = 0;
  rw->class = class;
  initlock(&rw->lk, LOCK_RWLOCK);
  rw->next_ticket = rw->serving = 0;
  waitq_init(&rw->waiters);
}

// Waits in the queue, then adds `mine` to the word once no bit of `conflict` is
// set in it.
void rwlock_queue_up(struct rwlock *rw, uint32 mine, uint32 conflict) {
  acquire(&rw->lk);
  uint32 ticket = rw->next_ticket++;
  for (;;) {
    uint32 word = atomic_or_full(&rw->word, RWLOCK_WAITED) | RWLOCK_WAITED;
    if (rw->serving != ticket || (word & conflict) != 0)
      sleep(&rw->waiters, &rw->lk);
    else if (atomic_cas_acquire(&rw->word, &word, word + mine))
      break;
  }
  rw->serving++;
  if (rw->serving == rw->next_ticket)
    atomic_and_full(&rw->word, ~RWLOCK_WAITED);
  else
    wakeup(&rw->waiters);  // the next may share with us
  release(&rw->lk);
}

void rwlock_wake(struct rwlock *rw) {
  acquire(&rw->lk);
  wakeup(&rw->waiters);
  release(&rw->lk);
}
