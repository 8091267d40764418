// A stub for each system call of THE list: the number goes into a7, arguments are
// where the compiler put them.
//
// Stubs are weak, so that a program may use a name of this project's own calls
// for a function of its own.
.macro stub symbol, number
  .weak \symbol
  .type \symbol, @function
\symbol:
  li a7, \number
  ecall
  ret
  .size \symbol, . - \symbol
.endm

  .text
#define SYSCALL(number, name, result, params) stub name, number
#define SYSCALL_RAW(number, name, result, params) stub sys_##name, number
#include "kernel/syscalls.h"

  .weak pause
  .set pause, sleep
