// Failures on purpose (kernel/inject.h), in DEBUG builds only.
#pragma once

#include "kernel/inject.h"
#include "lib/types.h"

// An order: fail at the passing number `after`, counting from 1; 0: no order.
struct injection {
  uint32 after;
  uint32 passed;
};

#ifdef DEBUG
// Whether this passing of `point` by the calling process shall fail.
bool inject_here(int point);
#else
static inline bool inject_here(int point) {
  (void)point;
  return false;
}
#endif

// inject(point, after) of kernel/inject.h for the calling process: returns how
// often the point was passed under the last order, or -EINVAL, or -ENOSYS in a
// default build.
int inject_order(int point, uint32 after);
