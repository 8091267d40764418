// The threads of a process, as seen by the rest of proc/: how they are stopped,
// ended and freed.  For proc/ alone.
#pragma once

#include "proc/proc.h"

// Asks p to stop, and sees to it that it notices: out of a wait that may be cut
// short, or out of user mode.  Any context; the slot cannot change hands.
//
// `stop` is written, then state and hart are read; sched() writes these two, and p reads
// `stop` on its way to user mode; a full fence between on either side.  So either p sees
// `stop`, or it is interrupted on the hart where it runs.
void stop(struct proc *p, enum stop_reason why);

// Lets p run for the first time.  It may end and be gone at once.
void start(struct proc *p);

// Frees an ended process or thread that is on no list any more, once it is off its
// stack.
void reap(struct proc *p);

// Drop the caller's open files, and its memory; from the second on this hart runs
// on the kernel's own page table.  May sleep.
void leave_files(void);
void leave_memory(void);

// Ends the calling thread, which is not the leader.
void exit_thread(void) __attribute__((noreturn));

// The leader: no thread may be added any more, and all others are ended and freed.
// A program that one of them has left to run is in the leader's `next`.  May sleep;
// a kill does not end the wait.
void close_process(void);

// The leader has a new program: it may have threads again.
void reopen_process(void);

// The caller wants to replace its process's program.  False when the process is
// ending or another thread was first.  If the caller is not the leader, the leader
// has got `next` and will run it.
bool claim_process(const struct new_program *next);
