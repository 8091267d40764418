// Lock ranks: see sync/lockdebug.h.
#include "sync/lockdebug.h"

#include "arch/csr.h"
#include "arch/hart.h"
#include "lib/assert.h"

static const char *const names[] = {
    [LOCK_NONE] = "none",
#define LOCK(name, what) [LOCK_##name] = #name,
    LOCK_CLASSES(LOCK)
#undef LOCK
};

const char *lock_name(enum lock_class class) {
  return class < LOCK_COUNT ? names[class] : "?";
}

#ifdef DEBUG
// Panics when a lock at `class` or below it in the order is held already.
static void check(const uint8 *held, enum lock_class class, bool nested) {
  for (uint32 c = nested ? class + 1 : class; c < LOCK_COUNT; c++)
    if (unlikely(held[c] != 0))
      panic("lock order: %s wanted while %s is held", names[class], names[c]);
}

void lockdebug_spin(enum lock_class class, bool nested) {
  ASSERT(class > LOCK_NONE && class < LOCK_COUNT);
  struct hart *h = this_hart();
  check(h->held, class, nested);
  h->held[class]++;
}

void lockdebug_unspin(enum lock_class class) {
  struct hart *h = this_hart();
  ASSERT(h->held[class] > 0);
  h->held[class]--;
}

void lockdebug_sleep(enum lock_class class, bool nested) {
  ASSERT(intr_get());
  struct held_locks *held = held_sleeping_locks();
  check(held->count, class, nested);
  held->count[class]++;
}

void lockdebug_unsleep(enum lock_class class) {
  struct held_locks *held = held_sleeping_locks();
  ASSERT(held->count[class] > 0);
  held->count[class]--;
}
#endif
