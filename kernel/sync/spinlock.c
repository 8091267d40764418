// Spinlocks: the slow paths.  See sync/spinlock.h for the word and the rules.
#include "sync/spinlock.h"

#include "debug/stall.h"

static const char *name_of(uint32 word) { return lock_name(word & SPINLOCK_CLASS); }

void initlock(struct spinlock *lk, enum lock_class class) { lk->word = class; }

// Waits for the word to show a free lock before trying again: spinning harts
// then only read, and leave the line to the holder.
void spinlock_wait(struct spinlock *lk, uint32 tag) {
  struct patience wait = {0};
  do {
    uint32 word;
    while ((word = atomic_load(&lk->word)) > SPINLOCK_CLASS) {
      uint32 holder = word & ~SPINLOCK_CLASS;
      if (holder == tag) panic("lock %s taken twice", name_of(word));
      if (patience_ends(&wait))
        panic("no progress: hart %u keeps lock %s", (holder >> 8) - 1, name_of(word));
      cpu_relax();
    }
  } while (!spinlock_take(lk, tag));
  lockdebug_waited();
}

void spinlock_not_held(uint32 word) {
  panic("lock %s released by a hart that does not hold it", name_of(word));
}

bool holding(const struct spinlock *lk) {
  push_off();
  bool mine = (atomic_load(&lk->word) & ~SPINLOCK_CLASS) == this_hart()->lock_tag;
  pop_off();
  return mine;
}
