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

// A system call begins: paints the calling process's kernel stack below the frames in use,
// if that was ordered.
void inject_paint_stack(void);
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
