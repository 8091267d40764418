// Watching for progress: see debug/stall.h.
#include "debug/stall.h"

#include "arch/csr.h"
#include "arch/devtree.h"
#include "arch/timer.h"
#include "arch/trapframe.h"
#include "debug/panic.h"
#include "debug/stats.h"
#include "kernel/atomic.h"
#include "lib/assert.h"
#include "proc/clock.h"
#include "proc/proc.h"

#define ROUNDS_A_LOOK   1024   // of a spinning wait, between two looks at the clock
#define FEWEST_ROUNDS   64     // before the first look
#define LOOKS_A_SECOND  1000000  // at most, of a hart

// A turn of the processor counts so many usual ones at most.
#define TURNS_COUNTED   10

// Of a second, an idle hart's turn while the option is given: looks must come more often
// than once a second, lest the count lag behind the clock.
#define IDLE_TURNS      2

static struct {
  uint64 count;  // [atomic] seconds that were noticed to pass
  uint64 next;   // [atomic] clock ticks, when the next of them is over
} OWN_LINE seconds;

static uint64 limit;    // [const after boot] seconds; 0: the option was not given
static uint32 outside;  // [atomic] processes that wait for something not of the kernel

void stall_init(void) { limit = boot_number("watchdog"); }

uint64 stall_limit(void) { return limit != 0 ? limit : ~0UL; }

uint64 stall_idle_turn(void) { return limit != 0 ? machine.timebase / IDLE_TURNS : 0; }

uint64 stall_seconds(void) { return atomic_load(&seconds.count); }

uint64 stall_seconds_since(uint64 begin) {
  uint64 counted = stall_seconds() - begin;
  return counted > 2 ? counted - 2 : 0;
}

// One of several harts that see the end of a second counts it.  The next one begins there,
// unless that was long ago.
void stall_look(uint64 now) {
  uint64 end = atomic_load(&seconds.next);
  if (likely((int64)(now - end) < 0)) return;
  uint64 second = machine.timebase, next = now - end < second ? end + second : now + second;
  if (atomic_cas_acquire(&seconds.next, &end, next)) atomic_add(&seconds.count, 1);
}

// An emulator that runs harts in turn (QEMU with -icount) goes on to the next when
// some timer is due, and ours may be pending already: so it is set anew, and the hart
// that we wait for gets on.  The clock finds nothing due and sets it right again.
void let_others_run(uint64 now) { timer_set(now + machine.timebase / LOOKS_A_SECOND); }

// Whether it is time to look at the clock: after 64, 128, 256 .. and every 1024 rounds.
static bool is_time(uint32 rounds) {
  return rounds % FEWEST_ROUNDS == 0 &&
         (rounds % ROUNDS_A_LOOK == 0 || (rounds & (rounds - 1)) == 0);
}

bool patience_ends(struct patience *w) {
  if (!is_time(++w->rounds)) return false;
  uint64 now = time_now();
  let_others_run(now);
  stall_look(now);
  if (w->last == 0) w->last = now;
  if (now - w->last >= machine.timebase) {
    w->last = now;
    w->seconds++;
  }
  return w->seconds >= STALL_SECONDS;
}

void stall_outside_begin(void) { atomic_add(&outside, 1); }
void stall_outside_end(void) { atomic_add(&outside, -1); }

// Whether the calling process has been in user mode since the last such question: the way
// there writes this word of its frame, the way into the kernel reads it and leaves it.
static bool was_in_user_mode(struct proc *p) {
  bool was = p->tf->hart != 0;
  p->tf->hart = 0;
  return was;
}

// A turn counts whole for the process that it ends in.  Waiting for a turn does not count.
void stall_kernel_turn(void) {
  struct proc *p = myproc();
  bool idle = p->pid == 0;
  if (limit == 0 || idle) return;
  if (was_in_user_mode(p)) p->kernel_time = 0;
  p->kernel_time += MIN(clock_turn(), TURNS_COUNTED * machine.timebase / TURNS_PER_SECOND);
  if (p->kernel_time < limit * machine.timebase) return;
  panic_show_processes();
  panic("watchdog: process %d has been in the kernel for %lu seconds", p->pid, limit);
}

void stall_idle(bool all_idle) {
  static uint64 switches, since;  // as last seen, and when they were different
  if (limit == 0 || this_hart()->id != 0) return;
  uint64 seen = stat_sum(STAT_SWITCHES);
  stall_look(time_now());
  if (!all_idle || atomic_load(&outside) != 0 || seen != switches) {
    switches = seen;
    since = stall_seconds();
    return;
  }
  if (stall_seconds_since(since) < limit) return;
  panic_show_processes();
  panic("watchdog: nothing has run for %lu seconds, and nothing will", limit);
}
