// The kernel's own half of every page table, and the kernel stacks in it.
#pragma once

#include "arch/pte.h"

extern pte_t *kernel_root;  // [const after boot] no user entries

// Builds and loads the kernel's page table: text read-execute, constants
// read-only, all else writable and never executable.  After frames_init.
void kvm_init(void);

// Copies the kernel's root entries into a user root.
void kvm_fill_root(pte_t *root);

// Kernel stacks, by slot: process slots first, then one for each hart's idle
// process.  Below each lies an unmapped guard as large as the stack.
#define KSTACK_SLOTS  (NPROC + NCPU)

// One past the top of the stack in `slot`.
uint64 kstack_top(uint32 slot);

// Gives the slot frames.  Returns the direct-map address of the top, where the
// trap frame will be, or NULL when RAM is exhausted.  A hart must have passed
// kstack_sync since before it runs on the stack.
void *kstack_map(uint32 slot);

// Takes the frames back.  Nobody runs there, or will before the next kstack_map.
void kstack_unmap(uint32 slot);

// Makes this hart forget translations of stacks that are older than the newest
// mapping; cheap when there are none.  Interrupts off.
void kstack_sync(void);
