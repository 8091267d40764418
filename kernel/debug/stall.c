// Watching for progress: see debug/stall.h.
#include "debug/stall.h"

#include "arch/csr.h"
#include "arch/devtree.h"
#include "arch/timer.h"
#include "debug/panic.h"
#include "debug/stats.h"
#include "kernel/atomic.h"
#include "lib/assert.h"
#include "proc/clock.h"
#include "proc/proc.h"

#define ROUNDS_A_LOOK   1024   // of a spinning wait, between two looks at the clock
#define FEWEST_ROUNDS   64     // before the first look
#define LOOKS_A_SECOND  1000000  // at most, of a hart

static uint64 limit;    // [const after boot] seconds; 0: the option was not given
static uint32 outside;  // [atomic] processes that wait for something not of the kernel

void stall_init(void) { limit = boot_number("watchdog"); }

uint64 stall_limit(void) { return limit != 0 ? limit * machine.timebase : ~0UL; }

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
  if (w->last == 0) w->last = now;
  if (now - w->last >= machine.timebase) {
    w->last = now;
    w->seconds++;
  }
  return w->seconds >= STALL_SECONDS;
}

void stall_outside_begin(void) { atomic_add(&outside, 1); }
void stall_outside_end(void) { atomic_add(&outside, -1); }

void stall_user_turn(void) { myproc()->kernel_time = 0; }

// A turn counts whole for the process that it ends in.  Waiting for a turn does not
// count: where many are ready, who is seen in the kernel a few times may be so by chance.
void stall_kernel_turn(void) {
  struct proc *p = myproc();
  bool idle = p->pid == 0;
  if (limit == 0 || idle) return;
  p->kernel_time += MIN(clock_turn(), machine.timebase);  // a pause of the machine: a second
  if (p->kernel_time < stall_limit()) return;
  panic_show_processes();
  panic("watchdog: process %d has been in the kernel for %lu seconds", p->pid, limit);
}

void stall_idle(bool all_idle) {
  static uint64 switches, since;  // as last seen, and when they were different
  if (limit == 0 || this_hart()->id != 0) return;
  uint64 now = time_now(), seen = stat_sum(STAT_SWITCHES);
  if (!all_idle || atomic_load(&outside) != 0 || seen != switches) {
    switches = seen;
    since = now;
    return;
  }
  if (now - since < stall_limit()) return;
  panic_show_processes();
  panic("watchdog: nothing has run for %lu seconds, and nothing will", limit);
}
