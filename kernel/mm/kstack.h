// Kernel stacks: mapped where a guard lies below each, so that an overflow is a
// fault and not a mystery.
//
// A slot is a piece of address space of twice a stack's size: the guard, then the
// stack.  Each process slot and each hart's idle process has its own.  A slot gets its
// frames when it is first needed, and keeps them.
//
// Why no stale translation of a stack can lead elsewhere, without a flush when a stack
// changes hands:
//
//   time      entry      what a TLB may hold for the page
//   boot      0          nothing, or that the entry is invalid
//   stores    0 -> f     the same, or f
//   flush     f          f: what was held before is gone, and walks find f
//   return    f          the slot is used for the first time
//   ever on   f          f
//
// An entry changes once, from 0 to its frame, and the flush of all harts ends before the
// slot has a user.  From then on there is one value that a walk can find and a TLB can
// hold, on a hart that runs on the stack as on one that follows a pointer to an object
// there.  A hart that starts later fences before its first access (arch/entry.S).
#pragma once

#include "kernel/param.h"
#include "lib/types.h"

struct kstack {
  uint64 top;       // one past its last byte
  char *top_alias;  // the same place in the direct map
};

#define KSTACK_FRAMES  2  // of one stack

// The slots of harts' idle processes and of process slots.
static inline uint32 kstack_of_hart(uint32 hart) { return hart; }
static inline uint32 kstack_of_process(uint32 number) { return NCPU + number; }

// The stack of a slot, in *out.  Its first use takes frames and waits until all harts
// have flushed: interrupts on, no spinlock held.  False when RAM is exhausted; then the
// slot is as if it had never been used.  One caller at a time for each slot.
bool kstack_get(uint32 slot, struct kstack *out);

// Connects the stacks to the kernel's page table, and gives those of boot their frames:
// of the idle processes of all harts, and of the first process.  From kvm_init, before
// that table is loaded, so that no TLB has seen anything of them.
void kstack_init(void);

// Whether va lies in a stack that has its frames.  Any context.
bool kstack_is_mapped(uint64 va);
