// The lock checker: see sync/lockdebug.h.  No locks: each list is touched by its hart
// with interrupts off, or by its process, and read by others only in a panic.
#include "sync/lockdebug.h"

#include "arch/csr.h"
#include "arch/hart.h"
#include "debug/backtrace.h"
#include "debug/stall.h"
#include "lib/assert.h"
#include "lib/printf.h"

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
#define LONG_SECONDS  2  // for a spinlock

static void place_name(uint64 place, char *out, size_t size) { symbol_name(place - 4, out, size); }

static void wrong(const char *what, const struct held_lock *new, const struct held_lock *old) {
  char here[64], there[64];
  place_name(new->place, here, sizeof(here));
  place_name(old->place, there, sizeof(there));
  panic("%s: %s wanted at %s while %s is held since %s", what, names[new->class], here,
        names[old->class], there);
}

static bool may_follow(const struct held_lock *new, const struct held_lock *old,
                       enum lock_peers peers) {
  if (old->class != new->class) return old->class < new->class;
  return peers == ANY_PEERS || (peers == LOWER_PEERS && old->lock < new->lock);
}

// Panics when a lock that comes later in the order, or at the same place, is held.
static void check(const struct held_locks *held, const struct held_lock *new,
                  enum lock_peers peers) {
  for (uint32 i = 0; i < held->count; i++) {
    const struct held_lock *old = &held->locks[i];
    if (unlikely(old->lock == new->lock)) wrong("lock taken twice", new, old);
    if (unlikely(!may_follow(new, old, peers))) wrong("lock order", new, old);
  }
}

static void add(struct held_locks *held, const struct held_lock *new) {
  ASSERT(held->count < HELD_MOST);
  held->locks[held->count++] = *new;
}

// Takes the lock off the list; most are given back in reverse order.
static struct held_lock take_off(struct held_locks *held, const void *lock) {
  uint32 i = held->count;
  while (i > 0 && held->locks[i - 1].lock != lock) i--;
  if (i == 0) panic("lock %p given back by one that does not hold it", lock);
  struct held_lock old = held->locks[i - 1];
  for (held->count--; i <= held->count; i++) held->locks[i - 1] = held->locks[i];
  return old;
}

void lockdebug_spin(const void *lock, enum lock_class class, enum lock_peers peers,
                    void *place) {
  ASSERT(class > LOCK_NONE && class < LOCK_COUNT && !intr_get());
  struct held_locks *held = &this_hart()->held;
  struct held_lock new = {lock, class, (uint64)place, stall_seconds()};
  check(held, &new, peers);
  add(held, &new);
}

void lockdebug_waited(void) {
  struct held_locks *held = &this_hart()->held;
  held->locks[held->count - 1].since = stall_seconds();
}

void lockdebug_unspin(const void *lock) {
  ASSERT(!intr_get());
  struct held_lock old = take_off(&this_hart()->held, lock);
  uint64 seconds = stall_seconds_since(old.since);
  // Messages need the serial port's own lock.
  if (likely(seconds < LONG_SECONDS) || old.class == LOCK_UART) return;
  char place[64];
  place_name(old.place, place, sizeof(place));
  if (seconds >= stall_limit())
    panic("watchdog: %s, taken at %s, was held for %lu seconds", names[old.class], place, seconds);
  printf("lockdebug: %s, taken at %s, was held for %lu seconds\n", names[old.class], place,
         seconds);
}

void lockdebug_sleep(const void *lock, enum lock_class class, enum lock_peers peers,
                     void *place) {
  ASSERT(intr_get());
  struct held_locks *held = held_sleeping_locks();
  struct held_lock new = {lock, class, (uint64)place, stall_seconds()};
  check(held, &new, peers);
  add(held, &new);
}

void lockdebug_unsleep(const void *lock) { take_off(held_sleeping_locks(), lock); }

void lockdebug_none_after(enum lock_class class) {
  const struct held_locks *held = held_sleeping_locks();
  for (uint32 i = 0; i < held->count; i++) {
    const struct held_lock *old = &held->locks[i];
    if (likely(old->class <= class)) continue;
    char there[64];
    place_name(old->place, there, sizeof(there));
    panic("lock order: nothing behind %s may be held here, but %s is, since %s", names[class],
          names[old->class], there);
  }
}

void lockdebug_needs(enum lock_class class) {
  const struct held_locks *held = held_sleeping_locks();
  for (uint32 i = 0; i < held->count; i++)
    if (held->locks[i].class == class) return;
  panic("lock order: %s must be held here", names[class]);
}

void lockdebug_print(const struct held_locks *held) {
  for (uint32 i = 0; i < held->count && i < HELD_MOST; i++) {
    char place[64];
    place_name(held->locks[i].place, place, sizeof(place));
    printf("  holds or waits for %s, since %s\n", lock_name(held->locks[i].class), place);
  }
}
#endif
