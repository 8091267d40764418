// Sleeping and waking, below wait queues (sync/waitq.h).  For proc/ alone.
#pragma once

#include "proc/proc.h"

// Puts the calling process to sleep in state `how` (SLEEPING or WAITING), giving
// up lk for the time; it is held again on return.  Returns 0, or -EINTR when
// `how` is WAITING and the process has been killed.  The caller has made itself
// findable under lk for whoever is to wake it.
int block(struct spinlock *lk, enum proc_state how);

// Wakes p if it sleeps.  Returns whether it did.  Any context.
bool make_ready(struct proc *p);

// Wakes p if it sleeps in a way that a kill may end.
bool make_ready_killed(struct proc *p);
