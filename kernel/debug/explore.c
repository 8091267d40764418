// Schedule exploration: see debug/explore.h.  No locks: numbers are drawn by each hart
// for itself; one lost to an interrupt in the middle does no harm.
#include "debug/explore.h"

#include "arch/csr.h"
#include "arch/devtree.h"
#include "arch/hart.h"
#include "proc/sched.h"
#include "sync/spinlock.h"

// The next change comes at any of the next 2^depth calls on this hart; the depth is
// drawn from these, each as likely as the other.
#define DEPTH_LEAST  5
#define DEPTH_MOST   15

// Turns last this many microseconds at least, times a power of two below the spread,
// each as likely as the other: up to 8 ms.
#define TURN_LEAST_US  2UL
#define TURN_SPREAD    12

#define DELAY_MOST   4000  // rounds of a loop

static uint64 seed;  // [const after boot] 0: no exploration

static struct explorer {
  uint64 state;  // of the number generator
  uint64 left;   // calls that pass before the next change
} ALIGNED(CACHE_LINE) explorers[NCPU];  // [hart]

// splitmix64: Steele, Lea and Flood, 2014.
static uint64 draw(struct explorer *e) {
  uint64 z = e->state += 0x9e3779b97f4a7c15UL;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9UL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebUL;
  return z ^ (z >> 31);
}

void explore_init(void) {
  seed = boot_number("seed");
  for (uint64 i = 0; i < NCPU; i++) explorers[i].state = seed * NCPU + i;
}

uint64 explore_turn(uint64 usual) {
  if (seed == 0) return usual;
  struct explorer *e = &explorers[this_hart()->id];
  uint64 us = TURN_LEAST_US << draw(e) % TURN_SPREAD;
  uint64 least = MAX(us * machine.timebase / 1000000, 1UL);  // a slow clock has few ticks
  return least + draw(e) % least;
}

#ifdef DEBUG
// Whether it is time for a change.
static bool due(struct explorer *e) {
  if (e->left > 0) {
    e->left--;
    return false;
  }
  uint64 depth = DEPTH_LEAST + draw(e) % (DEPTH_MOST - DEPTH_LEAST + 1);
  e->left = draw(e) % (1UL << depth);
  return true;
}

static void delay(uint64 rounds) {
  while (rounds-- > 0) cpu_relax();
}

void explore(void) {
  if (likely(seed == 0)) return;
  struct explorer *e = &explorers[this_hart()->id];
  if (due(e)) delay(draw(e) % DELAY_MOST);
}

void explore_yield(void) {
  if (likely(seed == 0)) return;
  push_off();
  struct explorer *e = &explorers[this_hart()->id];
  bool now = due(e);
  uint64 how = draw(e);
  pop_off();
  if (!now) return;
  if (how % 2 == 0)
    yield();
  else
    delay(how % DELAY_MOST);
}
#endif
