// The door for system calls.
#pragma once

struct trapframe;

// Carries out the call in the caller's a7 with arguments a0 to a5, and puts the
// result in a0: -1 for every error.  Interrupts on; may sleep.
void syscall(struct trapframe *tf);
