// The calling process.
#pragma once

struct proc;

// The process that runs here; a hart's idle process when nothing else does.  Any
// context: a thread moved to another hart finds itself there too, so the answer
// is the same for as long as the thread lives.
static inline struct proc *myproc(void) {
  struct proc *p;
  asm("ld %0, 0(tp)" : "=r"(p));  // arch/hart.h: `proc` comes first
  return p;
}
