// Spinlocks: for short critical sections that never sleep.
//
// Interrupts stay off on a hart from its first acquire to its last release, so
// an interrupt handler can take the same locks.  Whoever holds a spinlock must
// not sleep, touch user memory or start a TLB shootdown: those assert that
// interrupts are on.
//
// A lock is one word:
//   bits 31..8  0: free; otherwise 1 + the number of the hart that holds it
//   bits 7..0   its class (sync/lockrank.h), constant
#pragma once

#include "arch/csr.h"
#include "arch/hart.h"
#include "debug/explore.h"
#include "kernel/atomic.h"
#include "lib/assert.h"
#include "lib/types.h"
#include "sync/lockdebug.h"

struct spinlock {
  uint32 word;  // [atomic]
};

// A static lock: `static struct spinlock lock = SPINLOCK(PIPE);`
#define SPINLOCK(name)  { LOCK_##name }

void initlock(struct spinlock *lk, enum lock_class class);

// Interrupts off, nestable: as many pop_off as push_off, and the outermost
// pop_off restores what the outermost push_off found.
static inline void push_off(void) {
  uint32 found = csr_read_clear(sstatus, SSTATUS_SIE) & SSTATUS_SIE;
  struct hart *h = this_hart();
  if (h->off_depth++ == 0) h->off_found = found;
}

static inline void pop_off(void) {
  struct hart *h = this_hart();
  ASSERT(h->off_depth > 0);
  if (--h->off_depth == 0) csr_set(sstatus, h->off_found);
}

// The fast path is in line: the kernel takes a lock every few hundred instructions.
#define SPINLOCK_CLASS  0xffu

_Static_assert(LOCK_COUNT <= SPINLOCK_CLASS, "a class fits its bits");

static inline uint32 spinlock_tag(uint32 hart) { return (hart + 1) << 8; }

void spinlock_wait(struct spinlock *lk, uint32 tag);
void spinlock_not_held(uint32 word) __attribute__((noreturn, cold));

// Takes the lock if it is free.  Acquire: what the last holder wrote is seen.
static inline bool spinlock_take(struct spinlock *lk, uint32 tag) {
  uint32 free = atomic_load(&lk->word) & SPINLOCK_CLASS;
  return atomic_cas_acquire(&lk->word, &free, free | tag);
}

static ALWAYS_INLINE void acquire_as(struct spinlock *lk, enum lock_peers peers) {
  push_off();
  uint32 tag = this_hart()->lock_tag;
  explore();
  lockdebug_spin(lk, lk->word & SPINLOCK_CLASS, peers, LOCKDEBUG_PLACE);
  if (unlikely(!spinlock_take(lk, tag))) spinlock_wait(lk, tag);
}

// Waits until the lock is free and takes it.  Panics when this hart holds it.
static ALWAYS_INLINE void acquire(struct spinlock *lk) {
  acquire_as(lk, NO_PEERS);
}

// The same for a second lock of a class of which one is held; the caller knows
// the order among them.
static ALWAYS_INLINE void acquire_nested(struct spinlock *lk) {
  acquire_as(lk, ANY_PEERS);
}

// The same where the order is that of addresses: all that are held of this class lie
// below.
static ALWAYS_INLINE void acquire_ascending(struct spinlock *lk) {
  acquire_as(lk, LOWER_PEERS);
}

// Gives the lock back.  Panics when this hart does not hold it.
static inline void release(struct spinlock *lk) {
  uint32 word = atomic_load(&lk->word), free = word - this_hart()->lock_tag;
  if (unlikely(free > SPINLOCK_CLASS)) spinlock_not_held(word);
  lockdebug_unspin(lk);
  atomic_store_release(&lk->word, free);
  pop_off();
}

// Whether this hart holds the lock.
bool holding(const struct spinlock *lk);
