// The doors by which a hart enters C from arch/trap.S.
#pragma once

#include "lib/types.h"

struct trapframe;

// Makes this hart's traps come here; interrupts stay off for the time being.
void trap_init_hart(void);

// A trap from user mode; interrupts are off on entry and on return.
void usertrap(struct trapframe *tf);

// A process enters user mode for the first time; interrupts are off on entry and on return.
void first_return(void);

// A trap inside the kernel: an interrupt, or a bug of ours.
void kerneltrap(struct trapframe *tf);

// sp of the thread on this hart has left its stack downwards.
void kernel_stack_overflow(uint64 sp) __attribute__((noreturn));
