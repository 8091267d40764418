// Kernel stacks: mapped where a guard lies below each, so that an overflow is a
// fault and not a mystery.
//
// A slot's entries become valid without a flush of other harts.  The hart that first
// runs on the stack fences before (proc/sched.c); one that only follows a pointer to
// what lies there, and has the old invalid entry in its TLB, faults once.
#pragma once

#include "lib/types.h"

struct kstack {
  uint32 slot;
  uint64 top;       // one past its last byte
  char *top_alias;  // the same place in the direct map
};

// A stack in *out; false when RAM is exhausted.  May wait for other harts (never
// during boot): interrupts on, no spinlock held.
bool kstack_alloc(struct kstack *out);

// Gives a stack back that nobody uses or refers to any more.  Any context.
void kstack_free(uint32 slot);

// Connects the stacks to the kernel's page table.  From kvm_init.
void kstack_init(void);

// Whether va lies in a stack that has its frames.  Any context.
bool kstack_is_mapped(uint64 va);
