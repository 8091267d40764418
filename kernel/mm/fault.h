// The one place that decides what a page fault means.
#pragma once

#include "arch/pte.h"
#include "lib/types.h"

struct vm;

// Makes `access` (one of PTE_R, PTE_W, PTE_X) to va possible.  Called by the trap
// path for a fault in user mode, and where the kernel needs a user page on the
// user's behalf.
//
// Returns 0 when the access may be tried again; -EFAULT: no region or the guard;
// -EACCES: the region forbids it; -ENOMEM: no frame to be had.  The vm's lock is
// held, shared or exclusive; no spinlock; interrupts on.
int vmfault(struct vm *vm, uint64 va, uint64 access);

// Gives va, whose entry is *pte and whose page is shared, a copy of its own with
// the same rights.  Returns 0 or -ENOMEM.  The vm's lock is held exclusively; no
// spinlock; interrupts on.
int fault_unshare(struct vm *vm, uint64 va, pte_t *pte);
