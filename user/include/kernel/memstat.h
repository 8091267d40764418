// memstat's answer: what every frame of RAM is used for, and how often the
// memory paths were taken since boot.  Counts are exact when nothing runs.
#pragma once

#include "kernel/types.h"

struct memstat {
  uint64 total;      // frames that the allocator was given at boot
  uint64 free;       // frames free, those cached by harts included
  uint64 user;       // frames of user memory (a shared one counts once)
  uint64 pagetable;  // frames of user page tables
  uint64 kept;       // frames that are part of objects ready for reuse: stacks of no process
  uint64 kstack;     // frames of kernel stacks in use
  uint64 slab;       // frames that hold small kernel objects
  uint64 pipe;       // frames of pipe buffers
  uint64 other;      // anything else

  uint64 faults;      // calls of vmfault
  uint64 zero_fills;  // case 3: pages first touched
  uint64 cow_copies;  // case 4b: shared pages copied at a write
  uint64 cow_reuses;  // case 4a: pages taken back by their sole owner
  uint64 spurious;    // case 2: the entry was right already
  uint64 shootdowns;  // TLB shootdowns that interrupted another hart
};
