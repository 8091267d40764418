// Futexes: see proc/futex.h.
//
// A waiter queues up first and reads the word afterwards, with no lock held, since
// reading may fault and sleep; only then does it sleep.  Who changes the word wakes
// after the change.  So either the wake finds the waiter in the queue, or the waiter
// queued up after it and reads the new value.
//
// Lock: FUTEX, one for each bucket: its queue and the waiters in it.
#include "proc/futex.h"

#include "debug/explore.h"
#include "lib/errno.h"
#include "lib/list.h"
#include "mm/usercopy.h"
#include "sync/waitq.h"

#define BUCKETS  64

struct waiter {
  struct list node;     // [bucket lock] in its bucket until woken
  const struct vm *vm;  // [const]
  uint64 va;            // [const]
  struct waitq asleep;  // [bucket lock] its thread
};

static struct bucket {
  struct spinlock lock;  // FUTEX
  struct list waiters;   // [lock] longest first
} ALIGNED(CACHE_LINE) buckets[BUCKETS];

void futex_init(void) {
  for (int i = 0; i < BUCKETS; i++) {
    initlock(&buckets[i].lock, LOCK_FUTEX);
    list_init(&buckets[i].waiters);
  }
}

static struct bucket *bucket_of(const struct vm *vm, uint64 va) {
  uint64 key = ((uint64)vm / CACHE_LINE + va / sizeof(int)) * 0x9e3779b97f4a7c15UL;
  return &buckets[key >> 58];
}
_Static_assert(BUCKETS == 1 << 6, "the upper six bits choose a bucket");

int futex_wait(struct vm *vm, uint64 va, int expected) {
  if (va % sizeof(int) != 0) return -EINVAL;
  struct bucket *b = bucket_of(vm, va);
  struct waiter w = {.vm = vm, .va = va};
  waitq_init(&w.asleep);
  acquire(&b->lock);
  list_push_back(&b->waiters, &w.node);
  release(&b->lock);

  explore_yield();
  int seen;
  int err = copyin(vm, &seen, va, sizeof(seen));
  if (err == 0 && seen != expected) err = -EAGAIN;
  acquire(&b->lock);
  while (err == 0 && !list_empty(&w.node)) err = sleep_killable(&w.asleep, &b->lock);
  bool woken = list_empty(&w.node);
  list_remove(&w.node);
  release(&b->lock);
  return woken ? 0 : err;  // who was counted as woken must not say otherwise
}

int futex_wake(struct vm *vm, uint64 va, int most) {
  if (most < 0) return -EINVAL;
  struct bucket *b = bucket_of(vm, va);
  int woken = 0;
  acquire(&b->lock);
  for (struct list *n = b->waiters.next, *next; n != &b->waiters && woken < most; n = next) {
    next = n->next;
    struct waiter *w = list_entry(n, struct waiter, node);
    if (w->vm != vm || w->va != va) continue;
    list_remove(n);
    wakeup(&w->asleep);
    woken++;
  }
  release(&b->lock);
  return woken;
}
