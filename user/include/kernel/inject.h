// Points at which inject(point, after) makes the kernel fail on purpose, in a
// DEBUG build: the after-th time (1 is the next) that the calling process, and
// no other, reaches the point.  after == 0 takes the order back.  The call
// returns how many times the point was passed since the order was given; -1 in
// a default build.  A child of fork starts without orders.
#pragma once

enum {
  INJECT_KALLOC,  // no frame to be had
  INJECT_DISK,    // the disk reports an I/O error
  INJECT_POINTS
};
