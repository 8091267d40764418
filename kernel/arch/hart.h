// One hart's own state, found through tp while in the kernel.
//
// Layers above keep their per-hart state in arrays of their own, indexed by id.
#pragma once

#include "kernel/param.h"
#include "lib/types.h"
#include "sync/lockdebug.h"

struct proc;
struct hart_stats;

struct hart {
  struct proc *proc;     // [hart] running here; offset 0 is known to myproc()
  uint32 id;             // [const]
  uint32 lock_tag;       // [const] the mark of this hart in a spinlock
  uint32 off_depth;      // [hart] push_off without pop_off
  uint32 off_found;      // [hart] sstatus.SIE at the outermost push_off
  struct hart_stats *stats;  // [const] event counters (debug/stats.h)
  uint64 deadline;       // [hart] when the timer is set to fire
  uint32 ipi;            // [atomic] reasons of pending inter-processor interrupts
#ifdef DEBUG
  struct held_locks held;  // [hart] spinlocks
#endif
} ALIGNED(CACHE_LINE);

extern struct hart harts[NCPU];

// The hart this runs on.  Meaningful for as long as interrupts are off: with
// them on, the caller may be moved to another hart at any time.
static inline struct hart *this_hart(void) {
  struct hart *h;
  asm volatile("mv %0, tp" : "=r"(h));
  return h;
}

// A set of harts, one bit each.
typedef uint64 hartset;
_Static_assert(NCPU <= 64, "a hartset has 64 bits");

static inline hartset hart_bit(uint32 id) { return 1UL << id; }

extern hartset online_harts;  // [atomic] those that have started
