// The registers of an interrupted program, as arch/trap.S stores them.
//
// A process's user registers stand at the very top of its kernel stack; a trap
// inside the kernel pushes the same structure where the stack happens to be.
#pragma once

#include "arch/offsets.h"
#include "lib/types.h"

struct trapframe {
  uint64 ra, sp, gp, tp;
  uint64 t0, t1, t2;
  uint64 s0, s1;
  uint64 a[8];
  uint64 s2, s3, s4, s5, s6, s7, s8, s9, s10, s11;
  uint64 t3, t4, t5, t6;
  uint64 sepc;
  uint64 hart;     // user frames: the kernel's tp, for the next way in; in the kernel free
  uint64 sstatus;  // kernel frames
  uint64 cause;    // user frames: scause and stval of the last exception
  uint64 value;
};

// Enters user mode with the registers at the top of the stack; assembly labels,
// never called from C, only put into a context.
extern char first_run[];

// Starts running `body` on the stack that ends at `top`; the old stack is left.
void stack_switch(uint64 top, void (*body)(void)) __attribute__((noreturn));
