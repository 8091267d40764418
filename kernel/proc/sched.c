// The scheduler: run queues, switching, idling.  See proc/sched.h.
//
// Idling: a hart sets its bit in idle_harts, then looks at the queues once more,
// then waits.  Who enqueues does it the other way round, with full fences, so one
// of the two always notices.  Whoever wakes an idle hart clears its bit first;
// thus each hart is woken for one process only, and the next wakeup goes to
// another.
//
// Lock: RUNQ, one for each queue; never two at once.
#include "proc/sched.h"

#include "arch/csr.h"
#include "arch/ipi.h"
#include "arch/pte.h"
#include "debug/stall.h"
#include "debug/stats.h"
#include "kernel/atomic.h"
#include "lib/assert.h"
#include "lib/bits.h"
#include "mm/tlb.h"
#include "proc/clock.h"

struct run_queue {
  struct spinlock lock;
  uint32 length;      // [lock; atomic reads]
  struct list ready;  // [lock] oldest first
  struct proc *idle;  // [const]
} ALIGNED(CACHE_LINE);

static struct run_queue queues[NCPU];
static struct {
  hartset set;                // [atomic] waiting for work
} OWN_LINE idle_harts;

struct proc *swtch(struct proc *from, struct proc *to);  // arch/switch.S

static void wake_hart(uint32 id) {
  if (id != this_hart()->id) ipi_send(id, IPI_RESCHEDULE);
}

// Clears hart `id`'s idle bit; true for the one who did.
static bool claim_idle(uint32 id) {
  hartset bit = hart_bit(id);
  return (atomic_load(&idle_harts.set) & bit) && (atomic_and_full(&idle_harts.set, ~bit) & bit);
}

// Wakes some idle hart, if there is one, to look for work.
static void wake_any(void) {
  hartset idle;
  while ((idle = atomic_load(&idle_harts.set)) != 0) {
    uint32 id = lowest_bit(idle);
    if (!claim_idle(id)) continue;
    wake_hart(id);
    return;
  }
}

// Where p should run: here, if an interrupt has just woken this hart from idling;
// else where it ran last, unless that hart is busy and another idle.
static uint32 choose_hart(struct proc *p) {
  uint32 last = atomic_load(&p->hart);
  if (atomic_load_acquire(&p->on_hart)) return last;  // I13
  struct hart *h = this_hart();
  if (h->proc == queues[h->id].idle) return h->id;
  hartset idle = atomic_load(&idle_harts.set);
  if (idle == 0 || (idle & hart_bit(last))) return last;
  return lowest_bit(idle);
}

void sched_enqueue(struct proc *p) {
  push_off();
  uint32 id = choose_hart(p);
  struct run_queue *q = &queues[id];
  acquire(&q->lock);
  list_push_back(&q->ready, &p->queue);
  atomic_store(&q->length, q->length + 1);
  bool next = q->length == 1 && this_hart()->proc == q->idle;  // this hart is about to look
  release(&q->lock);
  atomic_fence();
  if (!next && atomic_load(&idle_harts.set) != 0) {
    if (claim_idle(id))
      wake_hart(id);
    else
      wake_any();
  }
  pop_off();
}

// Takes the oldest process that may run on this hart off q, or returns NULL.
static struct proc *dequeue(struct run_queue *q, bool own) {
  struct proc *found = NULL;
  acquire(&q->lock);
  list_for_each(n, &q->ready) {
    struct proc *p = list_entry(n, struct proc, queue);
    if (!own && atomic_load_acquire(&p->on_hart)) continue;  // I13
    list_remove(n);
    atomic_store(&q->length, q->length - 1);
    found = p;
    break;
  }
  release(&q->lock);
  return found;
}

// Takes a process from a queue of at least `least`, starting after our own.
static struct proc *steal(uint32 me, uint32 least) {
  hartset online = atomic_load(&online_harts);
  for (uint32 i = 1; i < NCPU; i++) {
    uint32 victim = (me + i) % NCPU;
    if (!(online & hart_bit(victim))) continue;
    if (atomic_load(&queues[victim].length) < least) continue;
    struct proc *p = dequeue(&queues[victim], false);
    if (p == NULL) continue;
    stat_add(STAT_STEALS, 1);
    return p;
  }
  return NULL;
}

static struct proc *pick(uint32 me) {
  struct run_queue *q = &queues[me];
  struct proc *p = NULL;
  if (atomic_load(&q->length) > 0) p = dequeue(q, true);
  if (p == NULL) p = steal(me, 1);
  return p != NULL ? p : q->idle;
}

// In the new process, on its stack: the old one may now be run elsewhere, or freed.
static inline void left(struct proc *prev) { atomic_store_release(&prev->on_hart, false); }

void sched(void) {
  struct hart *h = this_hart();
  ASSERT(h->off_depth == 1 && !intr_get());
  struct proc *prev = h->proc, *next = pick(h->id);
  atomic_store(&next->state, RUNNING);
  atomic_store(&next->hart, h->id);
  atomic_fence();  // before next looks at `stop`: see proc/thread.h
  if (next == prev) return;
  uint32 found = h->off_found;
  ASSERT(!atomic_load(&next->on_hart));
  atomic_store(&next->on_hart, true);
  h->proc = next;
  struct proc *idle = queues[h->id].idle;
  if ((prev == idle) != (next == idle)) clock_busy(next != idle);
  tlb_load(next->vm);
  stat_add(STAT_SWITCHES, 1);
  left(swtch(prev, next));
  this_hart()->off_found = found;
}

// The first thing a new process does (arch/trap.S), with interrupts off: it has no
// push_off of its own to undo.
void sched_finish(struct proc *prev);
void sched_finish(struct proc *prev) {
  left(prev);
  this_hart()->off_depth = 0;
}

void yield(void) {
  push_off();
  struct proc *p = myproc();
  atomic_store(&p->state, READY);
  sched_enqueue(p);
  sched();
  pop_off();
}

void sched_tick(void) {
  uint32 me = this_hart()->id;
  struct run_queue *q = &queues[me];
  if (myproc() == q->idle) return;
  // Even if there is work here: else where all harts are busy, a queue that is longer than
  // the others stays so.
  struct proc *p = steal(me, atomic_load(&q->length) + 2);
  if (p != NULL) {
    acquire(&q->lock);
    list_push_back(&q->ready, &p->queue);
    atomic_store(&q->length, q->length + 1);
    release(&q->lock);
  }
  if (atomic_load(&q->length) > 0) yield();
}

static bool work_anywhere(void) {
  for (hartset t = atomic_load(&online_harts); t != 0; t &= t - 1)
    if (atomic_load(&queues[lowest_bit(t)].length) > 0) return true;
  return false;
}

// How often an idle hart looks at once for work that it saw, but that others took or
// that still is on its hart (I13).  Then it waits for a moment.
#define LOOKS  8

void sched_idle(void) {
  uint32 id = this_hart()->id;
  queues[id].idle = myproc();
  for (uint32 in_vain = 0;;) {
    push_off();
    sched();
    atomic_or_full(&idle_harts.set, hart_bit(id));
    atomic_fence();
    bool work = work_anywhere();
    in_vain = work ? in_vain + 1 : 0;
    if (in_vain > LOOKS) {
      in_vain = 0;
      let_others_run(time_now());
      wait_for_interrupt();
    } else if (!work) {
      wait_for_interrupt();
      stall_idle(atomic_load(&idle_harts.set) == atomic_load(&online_harts));
    }
    atomic_and_full(&idle_harts.set, ~hart_bit(id));
    pop_off();
    intr_on();  // whatever woke us is handled here
    intr_off();
  }
}

void sched_init(void) {
  for (int i = 0; i < NCPU; i++) {
    initlock(&queues[i].lock, LOCK_RUNQ);
    list_init(&queues[i].ready);
  }
}
