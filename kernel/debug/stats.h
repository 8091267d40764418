// Event counters, one set a hart so that counting shares no cache line.
#pragma once

#include "arch/hart.h"
#include "kernel/atomic.h"
#include "kernel/param.h"
#include "lib/types.h"

#define STATS(STAT)                                  \
  STAT(FAULTS, "page faults decided by vmfault")     \
  STAT(ZERO_FILLS, "pages first touched")            \
  STAT(COW_COPIES, "shared pages copied at a write") \
  STAT(COW_REUSES, "pages taken back by their sole owner") \
  STAT(SPURIOUS, "faults that found the entry right") \
  STAT(SHOOTDOWNS, "TLB shootdowns of other harts")  \
  STAT(FLUSHES, "TLB flushes for other harts")       \
  STAT(SWITCHES, "context switches")                 \
  STAT(STEALS, "processes taken from another hart's queue") \
  STAT(TIMERS, "timer interrupts")                   \
  STAT(INTERRUPTS, "device interrupts")

enum stat {
#define STAT(name, what) STAT_##name,
  STATS(STAT)
#undef STAT
  STAT_COUNT
};

struct hart_stats {
  uint64 count[STAT_COUNT];  // [atomic]
} ALIGNED(CACHE_LINE);

extern struct hart_stats hart_stats[NCPU];

static inline void stat_add(enum stat s, uint64 n) {
  atomic_add(&this_hart()->stats->count[s], n);
}

// The sum over all harts, and the counter's name.
uint64 stat_sum(enum stat s);
const char *stat_name(enum stat s);
