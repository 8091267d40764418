// The scheduler: which process runs where.
//
// Each hart has a queue of ready processes, first in first out.  A hart without
// work takes a process from another's queue, and sleeps (wfi) when there is none;
// whoever makes a process ready wakes a sleeping hart for it.
//
//   I13  A process that is still on its hart (on_hart) is queued at that hart and
//        cannot be taken from there.  So no hart ever waits for another's switch.
#pragma once

#include "arch/hart.h"
#include "proc/proc.h"

// Makes the queues.  Once, before anything is enqueued.
void sched_init(void);

// Puts a process whose state has just become READY on a run queue, and wakes an
// idle hart if that helps.  Any context; spinlocks ranked before RUNQ may be held.
void sched_enqueue(struct proc *p);

// Gives up the hart.  The caller has set its process's state, and has interrupts
// off by exactly one push_off.  Returns when the process runs again, perhaps on
// another hart.
void sched(void);

// Lets other ready processes run first.  Interrupts on, no spinlock held.
void yield(void);

// The timer fired: lets others run if the time is up for this process.  From the
// trap path, interrupts off.
void sched_tick(void);

// Becomes this hart's idle process, which never returns.
void sched_idle(void) __attribute__((noreturn));
