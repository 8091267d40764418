// The end: see lib/assert.h for panic itself.
#pragma once

#include "lib/types.h"

struct trapframe;

// The panic that follows also tells where each process waits.
void panic_show_processes(void);

// Panics for an exception inside the kernel, showing its registers.
void panic_trap(struct trapframe *tf, const char *name, uint64 cause, uint64 stval)
    __attribute__((noreturn));
