// What programs that measure the kernel share: the counter, and rows of three
// figures that stress/benchrun.py reads.
//
// As the first program (boot option init=/NAME) such a program has the machine to
// itself: nobody types at the console at moments that differ from run to run.
#pragma once

#include "kernel/types.h"
#include "kernel/fcntl.h"
#include "kernel/riscv.h"
#include "kernel/stat.h"
#include "user/user.h"

#define MIB  (1L << 20)

// Instructions that the hart has retired.
static inline uint64 instructions(void) {
  uint64 n;
  asm volatile("rdinstret %0" : "=r"(n) : : "memory");
  return n;
}

// Prints the least, the middle and the largest of n samples, and orders them.
static inline void report(const char *name, uint64 *sample, int n) {
  for (int i = 1; i < n; i++)
    for (int j = i; j > 0 && sample[j - 1] > sample[j]; j--) {
      uint64 larger = sample[j - 1];
      sample[j - 1] = sample[j];
      sample[j] = larger;
    }
  printf("%-44s %10lu %10lu %10lu\n", name, sample[0], sample[n / 2], sample[n - 1]);
}

static inline int is_first(void) { return getpid() == 1; }

// Before the first row: a console for the first program, which has none yet.
static inline void measure_begin(void) {
  if (!is_first()) return;
  mknod("console", 1, 0);
  if (open("console", O_RDWR) != 0) poweroff(1);
  dup(0);
  dup(0);
}

// After the last row; ok: nothing failed.
static inline __attribute__((noreturn)) void measure_end(const char *program, int ok) {
  printf("%s %s\n", program, ok ? "done" : "failed");
  if (is_first()) poweroff(!ok);
  exit(!ok);
}
