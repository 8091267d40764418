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

// inject(INJECT_CRASH, kind) ends the machine with a panic of that kind, if the boot
// option crash=1 was given.  It returns -1, or the panic comes.
#define INJECT_CRASH  100

enum {
  CRASH_ASSERT = 1,  // a failed assertion
  CRASH_LOAD,        // an address that is not mapped is read
  CRASH_STORE,       // the kernel's text is written
  CRASH_OVERFLOW,    // the kernel stack overflows
  CRASH_JUMP,        // a call of what is not code
  CRASH_TWICE,       // a spinlock is taken by its holder
  CRASH_HELD,        // a spinlock is held for seconds; boot option watchdog= reports it
  CRASH_LOOP,        // a loop in the kernel that can be interrupted; the same
  CRASH_NESTED,      // a panic whose message cannot be read: no report
};
