// Where a program begins: exec put argc into a0 and argv into a1, and left sp
// aligned.  What main returns is the status.
  .section .text.start, "ax"
  .globl _start
_start:
  call main
  call exit
