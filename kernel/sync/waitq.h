// Wait queues: how a process sleeps until another makes a condition true.
//
// A queue belongs to a condition, and the condition to a spinlock.  The lock is
// held to test the condition, to go to sleep and to wake, so no wakeup is lost;
// sleep gives it up while it waits.  The queue itself needs no other lock.
//
//   acquire(&lk);                       acquire(&lk);
//   while (!ready) sleep(&wq, &lk);     ready = true;
//   ...                                 wakeup(&wq);
//   release(&lk);                       release(&lk);
//
// The implementation is the scheduler's (proc/sleep.c).
#pragma once

#include "lib/list.h"
#include "lib/types.h"
#include "sync/spinlock.h"

struct proc;

struct waitq {
  struct list sleepers;  // [the condition's lock] oldest first
};

#define WAITQ(name)  { LIST_INIT((name).sleepers) }

static inline void waitq_init(struct waitq *wq) { list_init(&wq->sleepers); }

// Sleeps until woken; the caller tests its condition again.  Called and returns
// with lk, and no other spinlock, held.  A kill does not end it.
void sleep(struct waitq *wq, struct spinlock *lk);

// The same, but a kill ends it: returns 0 when woken, -EINTR when the process
// has been killed (before or during the sleep; woken or not).
int sleep_killable(struct waitq *wq, struct spinlock *lk);

// The same as sleep for one that was woken in vain: it keeps its place at the head.
void sleep_again(struct waitq *wq, struct spinlock *lk);

// Whether the calling process has been asked to end or to make room for another
// program.  A loop over a length that a program gives looks at this between pieces,
// and returns -EINTR, or what it has done so far.
bool kill_pending(void);

// Makes every sleeper ready to run.  The condition's lock is held.
void wakeup(struct waitq *wq);

// The same for the one at the head alone.  Returns it, or NULL if none sleeps.
struct proc *wakeup_one(struct waitq *wq);
