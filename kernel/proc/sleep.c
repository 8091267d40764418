// Sleep and wakeup (sync/waitq.h, proc/sleep.h).
//
// A sleeper puts itself where its waker will look, sets its state, and only then
// gives up the condition's lock; the waker holds that lock.  Hence no wakeup falls
// between the test of the condition and the sleep.  A kill uses no lock: the killer
// sets `killed` and then looks at the state, the sleeper sets its state and then
// looks at `killed`, each with a full fence between.  I10 decides who enqueues.
#include "proc/sleep.h"

#include "arch/hart.h"
#include "kernel/atomic.h"
#include "lib/assert.h"
#include "lib/errno.h"
#include "proc/sched.h"

int block(struct spinlock *lk, enum proc_state how) {
  struct proc *p = myproc();
  ASSERT(this_hart()->off_depth == 1 && holding(lk));
  atomic_swap_full(&p->state, how);
  enum proc_state as = WAITING;
  bool stay = how == WAITING && killed(p) && atomic_cas_acquire(&p->state, &as, RUNNING);
  if (!stay) {
    push_off();
    release(lk);
    p->kernel_time = 0;
    sched();
    pop_off();
    acquire(lk);
  }
  return how == WAITING && killed(p) ? -EINTR : 0;
}

static bool wake_from(struct proc *p, enum proc_state state) {
  if (!atomic_cas_acquire(&p->state, &state, READY)) return false;
  sched_enqueue(p);
  return true;
}

bool make_ready(struct proc *p) { return wake_from(p, WAITING) || wake_from(p, SLEEPING); }

bool make_ready_killed(struct proc *p) { return wake_from(p, WAITING); }

void sleep(struct waitq *wq, struct spinlock *lk) {
  list_push_back(&wq->sleepers, &myproc()->wait);
  block(lk, SLEEPING);
}

void sleep_again(struct waitq *wq, struct spinlock *lk) {
  list_push_front(&wq->sleepers, &myproc()->wait);
  block(lk, SLEEPING);
}

int sleep_killable(struct waitq *wq, struct spinlock *lk) {
  struct proc *p = myproc();
  list_push_back(&wq->sleepers, &p->wait);
  int err = block(lk, WAITING);
  list_remove(&p->wait);  // still there only after a kill
  return err;
}

bool kill_pending(void) { return killed(myproc()); }

static struct proc *pop(struct waitq *wq) {
  return list_entry(list_pop_front(&wq->sleepers), struct proc, wait);
}

void wakeup(struct waitq *wq) {
  while (!list_empty(&wq->sleepers)) make_ready(pop(wq));
}

// One that a kill has woken already does not count.
struct proc *wakeup_one(struct waitq *wq) {
  while (!list_empty(&wq->sleepers)) {
    struct proc *p = pop(wq);
    if (make_ready(p)) return p;
  }
  return NULL;
}

#ifdef DEBUG
struct held_locks *held_sleeping_locks(void) { return &myproc()->held; }
#endif
