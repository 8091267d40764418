// What inject(point, after) makes a DEBUG build do to the calling process, and no other.
//
// At a point of failure the kernel fails on purpose: the after-th time (1 is the next)
// that the process reaches the point.  At the others it does what they say every time,
// with any `after` but 0.  after == 0 takes the order back.  The call returns how many
// times the point was passed since the order was given; -1 in a default build.  A child
// of fork and a new thread start without orders; exec keeps them.
#pragma once

enum {
  INJECT_KALLOC,  // failure: no frame to be had
  INJECT_DISK,    // failure: the disk reports an I/O error
  INJECT_FAULT,   // a page is filled or copied slowly: others run for a millisecond
  INJECT_STACK,   // a system call finds the unused part of its kernel stack painted
  INJECT_POINTS
};

#define INJECT_PAINT  0xc3  // what each byte of it is then

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
