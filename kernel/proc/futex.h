// Futexes: sleeping until another thread of the same address space says so, on
// condition that a word of user memory has not changed before.
//
// A waiter is known by its address space and address, not by the frame behind it: a
// page may be copied, shared by a fork, or taken away in the meantime.
#pragma once

#include "lib/types.h"

struct vm;

// Makes the queues.  Once, at boot.
void futex_init(void);

// Sleeps until futex_wake names `va`, if the int there is `expected`.  A wake that
// comes after the change of that int is never missed.  Returns 0; -EAGAIN: it is
// another value; -EFAULT, -ENOMEM: it cannot be read; -EINVAL: not aligned; -EINTR:
// killed.  vm is the caller's own, not locked.  May sleep.
int futex_wait(struct vm *vm, uint64 va, int expected);

// Wakes those who have waited at va longest, at most `most`.  Returns how many, or
// -EINVAL for a negative number.  Does not touch the memory.
int futex_wake(struct vm *vm, uint64 va, int most);
