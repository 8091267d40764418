// The process table: slots, pids and kernel stacks.  For proc/ alone.
#pragma once

#include "proc/proc.h"

// A process in state SETUP: pid, kernel stack, zeroed trap frame, context that
// starts at first_run; no memory, files or parent.  NULL without a free slot or
// frames.  May wait for other harts: interrupts on, no spinlock held.
struct proc *proc_alloc(void);

// Gives the slot back.  The process is off every hart and has neither memory nor
// files.
void proc_free(struct proc *p);

// The process in use with that pid, or NULL.  Between lock and unlock no slot
// changes hands; a spinlock is held there.
void proc_table_lock(void);
void proc_table_unlock(void);
struct proc *proc_find(int pid);

// The idle process of a hart, with its stack.  Boot only.
struct proc *idle_proc_create(uint32 hart);
