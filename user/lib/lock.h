// The lock under mutexes and under the library's own data.  Calls the kernel
// without a stub, so that a program may use any name for functions of its own.
//
// The word: 0 free, 1 taken, 2 taken and perhaps waited for.  Who takes it after
// having waited leaves a 2, since others may be waiting still; who gives back a 2
// wakes one of them.
#pragma once

#include "kernel/atomic.h"
#include "kernel/futex.h"
#include "kernel/syscall.h"

static inline long raw_call(long number, long first, long second, long third) {
  register long a0 asm("a0") = first;
  register long a1 asm("a1") = second;
  register long a2 asm("a2") = third;
  register long a7 asm("a7") = number;
  asm volatile("ecall" : "+r"(a0) : "r"(a1), "r"(a2), "r"(a7) : "memory");
  return a0;
}

static inline long lock_futex(int *word, long op, long val) {
  return raw_call(SYS_futex, (long)word, op, val);
}

// Takes the word if it is free; returns whether it was.
static inline int lock_try(int *word) {
  int free = 0;
  return atomic_cas_acquire(word, &free, 1);
}

static inline void lock_take(int *word) {
  if (lock_try(word)) return;
  while (atomic_swap_acquire(word, 2) != 0) lock_futex(word, FUTEX_WAIT, 2);
}

static inline void lock_give(int *word) {
  if (atomic_swap_release(word, 0) == 2) lock_futex(word, FUTEX_WAKE, 1);
}
