// Page arithmetic of Sv39, as far as programs see it.
#pragma once

#define PGSIZE   4096
#define PGSHIFT  12
#define PGROUNDUP(a)    (((a) + PGSIZE - 1) & ~(PGSIZE - 1L))
#define PGROUNDDOWN(a)  ((a) & ~(PGSIZE - 1L))

// One past the last user address: half of the Sv39 space, so that no address
// below it has its sign bit set.
#define MAXVA  (1L << 38)

#ifndef __ASSEMBLER__
#include "kernel/types.h"

// The stack pointer.
static inline uint64 r_sp(void) {
  uint64 sp;
  __asm__ volatile("mv %0, sp" : "=r"(sp));
  return sp;
}
#endif
