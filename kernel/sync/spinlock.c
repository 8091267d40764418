// Spinlocks: see sync/spinlock.h for the word and the rules.
#include "sync/spinlock.h"

#include "arch/csr.h"
#include "arch/hart.h"
#include "debug/explore.h"
#include "debug/stall.h"
#include "lib/assert.h"
#include "lib/atomic.h"
#include "sync/lockdebug.h"

#define HOLDER  0xffffu

static inline enum lock_class class_of(uint32 word) { return word >> 16; }

void initlock(struct spinlock *lk, enum lock_class class) { lk->word = (uint32)class << 16; }

void push_off(void) {
  bool on = csr_read_clear(sstatus, SSTATUS_SIE) & SSTATUS_SIE;
  struct hart *h = this_hart();
  if (h->off_depth++ == 0) h->off_found_on = on;
}

void pop_off(void) {
  struct hart *h = this_hart();
  ASSERT(h->off_depth > 0);
  if (--h->off_depth == 0 && h->off_found_on) intr_on();
}

// Takes the lock if it is free.  Acquire: what the last holder wrote is seen.
static inline bool take(struct spinlock *lk, uint32 tag) {
  uint32 free = atomic_load(&lk->word) & ~HOLDER;
  return __atomic_compare_exchange_n(&lk->word, &free, free | tag, false, __ATOMIC_ACQUIRE,
                                     __ATOMIC_RELAXED);
}

// Waits for the word to show a free lock before trying again: spinning harts
// then only read, and leave the line to the holder.
static void __attribute__((noinline)) spin(struct spinlock *lk, uint32 tag) {
  struct patience wait = {0};
  do {
    uint32 word;
    while ((word = atomic_load(&lk->word)) & HOLDER) {
      if ((word & HOLDER) == tag) panic("lock %s taken twice", lock_name(class_of(word)));
      if (patience_ends(&wait))
        panic("no progress: hart %u keeps lock %s", (word & HOLDER) - 1, lock_name(class_of(word)));
      cpu_relax();
    }
  } while (!take(lk, tag));
}

void acquire(struct spinlock *lk) {
  push_off();
  uint32 tag = this_hart()->lock_tag;
  explore();
  lockdebug_spin(lk, class_of(atomic_load(&lk->word)), false, __builtin_return_address(0));
  if (unlikely(!take(lk, tag))) spin(lk, tag);
}

void acquire_nested(struct spinlock *lk) {
  push_off();
  uint32 tag = this_hart()->lock_tag;
  explore();
  lockdebug_spin(lk, class_of(atomic_load(&lk->word)), true, __builtin_return_address(0));
  if (unlikely(!take(lk, tag))) spin(lk, tag);
}

void release(struct spinlock *lk) {
  uint32 word = atomic_load(&lk->word);
  if (unlikely((word & HOLDER) != this_hart()->lock_tag))
    panic("lock %s released by a hart that does not hold it", lock_name(class_of(word)));
  lockdebug_unspin(lk);
  atomic_store_release(&lk->word, word & ~HOLDER);
  pop_off();
}

bool holding(const struct spinlock *lk) {
  push_off();
  bool mine = (atomic_load(&lk->word) & HOLDER) == this_hart()->lock_tag;
  pop_off();
  return mine;
}
