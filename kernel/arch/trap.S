// The one trap vector, and the way back to user mode.
//
// sscratch tells where a trap comes from.  In user mode it points to the
// process's trap frame at the top of its kernel stack; in the kernel it is 0.
//
// The way back to user mode loads every register from the trap frame, so whatever changes
// the frame changes the program: fork, exec and clone write a frame and nothing else.  One
// thing needs no work there: in the kernel sstatus always says what sret shall do, SPP = 0
// and SPIE = 1: sret and a trap from user mode leave it so, and a trap from the kernel
// restores it.
#include "arch/offsets.h"

#define SPP  0x100

// What a C function may change, and gp, which no code of the kernel uses.
.macro caller_saved op
  \op ra, 0(sp)
  \op gp, 16(sp)
  \op t0, 32(sp)
  \op t1, 40(sp)
  \op t2, 48(sp)
  \op s0, 56(sp)               // 0 while in the kernel
  \op a0, 72(sp)
  \op a1, 80(sp)
  \op a2, 88(sp)
  \op a3, 96(sp)
  \op a4, 104(sp)
  \op a5, 112(sp)
  \op a6, 120(sp)
  \op a7, 128(sp)
  \op t3, 216(sp)
  \op t4, 224(sp)
  \op t5, 232(sp)
  \op t6, 240(sp)
.endm

// What it keeps.
.macro callee_saved op
  \op s1, 64(sp)
  \op s2, 136(sp)
  \op s3, 144(sp)
  \op s4, 152(sp)
  \op s5, 160(sp)
  \op s6, 168(sp)
  \op s7, 176(sp)
  \op s8, 184(sp)
  \op s9, 192(sp)
  \op s10, 200(sp)
  \op s11, 208(sp)
.endm

.section .text
.balign 4
.globl trap_vector
trap_vector:
  csrrw sp, sscratch, sp
  beqz sp, from_kernel
  caller_saved sd
  callee_saved sd
  sd   tp, FRAME_TP(sp)
  ld   tp, FRAME_HART(sp)
  csrrw t0, sscratch, zero
  csrr t1, sepc
  sd   t0, FRAME_SP(sp)
  sd   t1, FRAME_SEPC(sp)
  li   s0, 0                   // backtraces end here
  mv   a0, sp
  call usertrap

// sp points to the trap frame, interrupts are off.
user_return:
  ld   t1, FRAME_SEPC(sp)
  csrw sepc, t1
  sd   tp, FRAME_HART(sp)
  csrw sscratch, sp
  ld   tp, FRAME_TP(sp)
  caller_saved ld
  callee_saved ld
  ld   sp, FRAME_SP(sp)
  sret

// A process's first moments.  a0 is who ran here before; s1 is a function to
// run first, or 0.  The stack is empty, so sp is the trap frame.
.globl first_run
first_run:
  li   s0, 0
  call sched_finish
  beqz s1, 1f
  jalr s1
1:
  call first_return            // it may have been killed by now
  j    user_return

.globl from_kernel
from_kernel:
  csrrw sp, sscratch, sp
  addi sp, sp, -FRAME_SIZE
  csrw sscratch, t0
  srli t0, sp, KSTACK_SHIFT
  andi t0, t0, 1
  beqz t0, stack_overflow
  csrrw t0, sscratch, zero
  caller_saved sd
  callee_saved sd
  sd   tp, FRAME_TP(sp)
  addi t0, sp, FRAME_SIZE
  sd   t0, FRAME_SP(sp)
  csrr t0, sepc
  csrr t1, sstatus
  sd   t0, FRAME_SEPC(sp)
  sd   t1, FRAME_STATUS(sp)
  li   t0, SPP
  csrc sstatus, t0
  mv   a0, sp
  call kerneltrap
.globl kerneltrap_returns
kerneltrap_returns:
  ld   t0, FRAME_SEPC(sp)
  ld   t1, FRAME_STATUS(sp)
  csrw sepc, t0
  csrw sstatus, t1
  caller_saved ld
  addi sp, sp, FRAME_SIZE      // tp stays: the thread may be on another hart now
  sret

// No room for a frame: report on a stack that nothing else uses.  The first hart that
// comes here has it; another waits for the panic of the first one to stop it.
stack_overflow:
  csrw sscratch, zero
  la   t0, overflow_hart
1:
  lr.d.aq t1, (t0)
  bnez t1, 2f
  sc.d t2, tp, (t0)
  bnez t2, 1b
  j    3f
2:
  beq  t1, tp, 3f
  wfi
  j    2b
3:
  mv   a0, sp
  la   sp, overflow_stack_top
  call kernel_stack_overflow

.globl stack_switch
stack_switch:
  mv   sp, a0
  li   s0, 0
  jr   a1

.section .bss
.balign KSTACK_SLOT
  .zero KSTACK_SIZE
  .zero KSTACK_SIZE
.globl overflow_stack_top
overflow_stack_top:
overflow_hart:
  .8byte 0
