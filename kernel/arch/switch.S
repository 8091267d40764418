// struct proc *swtch(struct proc *from, struct proc *to)
//
// Saves the calling thread in from->context (the first field) and resumes `to`.
// Returns, in the resumed thread, the process that was left for it: a0 is simply
// kept.  Interrupts are off on both sides.

// What a C function expects to find unchanged: ra, sp and the twelve s registers,
// in struct context's order.
.macro context op, base
  \op ra, 0(\base)
  \op sp, 8(\base)
  .set at, 16
  .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
  \op s\n, at(\base)
  .set at, at + 8
  .endr
.endm

.section .text
.globl swtch
swtch:
  context sd, a0
  context ld, a1
  ret
