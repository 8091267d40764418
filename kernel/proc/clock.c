// Turns and sleeps.
//
// Each hart keeps the processes that fell asleep on it, ordered by the time they
// are to wake, and a deadline for the process that runs.  Its timer is set to the
// earlier of the two; there is no periodic tick.
//
// Lock: TIMER, one for each hart's queue.
#include "proc/clock.h"

#include "arch/csr.h"
#include "arch/devtree.h"
#include "arch/hart.h"
#include "arch/timer.h"
#include "debug/explore.h"
#include "debug/stall.h"
#include "debug/stats.h"
#include "lib/errno.h"
#include "proc/proc.h"
#include "proc/sched.h"
#include "proc/sleep.h"

// An idle hart without sleepers still sets its timer, to this far ahead: a machine
// whose clock jumps to the next deadline when all harts wait (`-icount sleep=off`)
// would otherwise jump to the end of time.
#define IDLE_SECONDS  10

struct clock {
  struct spinlock lock;   // TIMER
  bool busy;              // [hart] runs a process
  struct list sleepers;   // [lock] earliest first
  uint64 turn_start;      // [hart] clock ticks
  uint64 turn_end;        // [hart] the same; while idle: the next look
  uint64 last_turn;       // [hart] how long it was
  uint64 starts;          // [hart] switches here, once the turn's process has started
} ALIGNED(CACHE_LINE);

static struct clock clocks[NCPU];

void clock_init(void) {
  for (int i = 0; i < NCPU; i++) {
    initlock(&clocks[i].lock, LOCK_TIMER);
    list_init(&clocks[i].sleepers);
    clocks[i].turn_end = ~0UL;
  }
}

static struct proc *first_sleeper(struct clock *c) {
  return list_empty(&c->sleepers) ? NULL : list_entry(c->sleepers.next, struct proc, timer);
}

// c is this hart's, and locked.
static void set_timer(struct clock *c) {
  struct proc *first = first_sleeper(c);
  timer_set(first != NULL ? MIN(first->wake_time, c->turn_end) : c->turn_end);
}

static uint64 idle_turn(void) {
  uint64 watched = stall_idle_turn();
  return watched != 0 ? watched : machine.timebase * IDLE_SECONDS;
}

static uint64 switches_here(void) { return this_hart()->stats->count[STAT_SWITCHES]; }

// A switch follows, to the process whose turn it is.
static void begin_turn(struct clock *c, uint64 now) {
  c->starts = switches_here() + 1;
  c->turn_start = now;
  c->turn_end = now + (c->busy ? explore_turn(machine.timebase / TURNS_PER_SECOND) : idle_turn());
}

void clock_busy(bool busy) {
  struct clock *c = &clocks[this_hart()->id];
  c->busy = busy;
  begin_turn(c, time_now());
  acquire(&c->lock);
  set_timer(c);
  release(&c->lock);
}

// The time is up.  A process that started in the middle of the turn, after another gave up
// the rest, gets a whole one now: else one that blocks just before the end each time would
// leave those that follow it next to nothing.  Returns whether the running one must go.
static bool end_turn(struct clock *c, uint64 now) {
  bool whole = switches_here() <= c->starts;
  if (whole) c->last_turn = now - c->turn_start;
  begin_turn(c, now);
  if (!whole) c->starts--;  // no switch follows
  return whole;
}

bool clock_interrupt(void) {
  if (!timer_due()) return false;
  struct clock *c = &clocks[this_hart()->id];
  uint64 now = time_now();
  stat_add(STAT_TIMERS, 1);
  stall_look(now);
  acquire(&c->lock);
  for (struct proc *p; (p = first_sleeper(c)) != NULL && p->wake_time <= now;) {
    list_remove(&p->timer);
    make_ready(p);
  }
  bool must_go = c->turn_end <= now && end_turn(c, now);
  set_timer(c);
  release(&c->lock);
  return must_go;
}

uint64 clock_turn(void) { return clocks[this_hart()->id].last_turn; }

static uint64 wake_time_at(const struct list *at) {
  return list_entry(at, struct proc, timer)->wake_time;
}

// Looks for p's place from the end of the queue that is nearer to it in time.
static void insert(struct clock *c, struct proc *p) {
  struct list *at = &c->sleepers;
  uint64 when = p->wake_time;
  if (!list_empty(at) &&
      (int64)(when - wake_time_at(at->next)) < (int64)(wake_time_at(at->prev) - when)) {
    do at = at->next;
    while (wake_time_at(at) <= when);
  } else {
    while (at->prev != &c->sleepers && wake_time_at(at->prev) > when) at = at->prev;
  }
  list_insert_before(at, &p->timer);
}

int clock_sleep(int n) {
  if (n <= 0) return 0;
  struct proc *p = myproc();
  p->wake_time = time_now() + (uint64)n * tick_length();
  push_off();
  struct clock *c = &clocks[this_hart()->id];
  acquire(&c->lock);
  pop_off();
  insert(c, p);
  set_timer(c);
  int err = 0;
  stall_outside_begin();
  while (!list_empty(&p->timer) && err == 0) err = block(&c->lock, WAITING);
  stall_outside_end();
  list_remove(&p->timer);
  release(&c->lock);
  return err;
}

uint64 clock_ticks(void) { return time_since_boot() / tick_length(); }
