// Failures and delays on purpose (kernel/inject.h), in DEBUG builds only.
#pragma once

#include "kernel/inject.h"
#include "lib/types.h"

// An order: fail at the passing number `after`, counting from 1, or do what the point
// says each time; 0: no order.
struct injection {
  uint32 after;
  uint32 passed;
};

#ifdef DEBUG
// Whether this passing of `point` by the calling process shall fail.
bool inject_here(int point);

// A page is about to be put in its place.  Interrupts on, no spinlock held: other
// processes may run, for a millisecond if that was ordered.
void inject_slow_fault(void);

// Where the calling process's kernel stack begins, if it is to be painted, else 0.
uint64 inject_stack_to_paint(void);

// A system call begins: paints the stack below the caller's frame, if that was ordered.
// In line, so that all of the next frame is painted.  An interrupt in the middle uses what
// has been painted, and does no harm.
static ALWAYS_INLINE void inject_paint_stack(void) {
  uint64 at = inject_stack_to_paint();
  if (likely(at == 0)) return;
  asm volatile("1: sd %1, 0(%0)\n addi %0, %0, 8\n bltu %0, sp, 1b"
               : "+r"(at)
               : "r"(INJECT_PAINT * (~0UL / 0xff))
               : "memory");
}
#else
static inline bool inject_here(int point) {
  (void)point;
  return false;
}
static inline void inject_slow_fault(void) {}
static inline void inject_paint_stack(void) {}
#endif

// inject(point, after) of kernel/inject.h for the calling process: returns how
// often the point was passed under the last order, or -EINVAL, or -ENOSYS in a
// default build.
int inject_order(int point, uint32 after);
