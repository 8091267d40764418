// What THE list promises: one function for each system call.
#pragma once

#include "lib/types.h"

// Gets the caller's a0 to a5 and returns the result or a negative errno.
// Interrupts on; may sleep.
#define SYSCALL(number, name, ret, params) int64 sys_##name(const uint64 *a);
#include "kernel/syscalls.h"
#undef SYSCALL
