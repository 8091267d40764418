// Reset and machine mode (privileged specification 3.1).  Everything up to the
// mret runs at physical addresses; `la` is PC-relative and gives those here.
#include "arch/offsets.h"
#include "kernel/param.h"

#define DIRECT_MAP   0xffffffc000000000
#define UART_PAGE    0x10000   // of QEMU's virt machine, for what is said before its device
#define FINISH_PAGE  0x100     // tree has been read
#define LINE_STATUS  5
#define TX_EMPTY     0x20
#define FAILED_ENTRY 0x3333    // below a status: what the finisher ends QEMU with
#define SATP_SV39    (8 << 60)
#define IRQ_SUPER    0x222     // SSI, STI, SEI
#define IRQ_MSI      (1 << 3)
#define IRQ_MTI      (1 << 7)
#define MSTATUS_MPP_S (1 << 11)
#define S_ECALL      9         // an exception's number
#define MISA_NEEDED  0x141105  // U, S, M, I, C, A: what this kernel is compiled for, and modes
#define MENVCFG      0x30a
#define STIMECMP     0x14d
#define PTE_GIGA     0xcf      // V R W X A D

// Sends what traps from here on to `label`, which is aligned.
.macro on_trap label
  la   t0, \label
  csrw mtvec, t0
.endm

.section .entry, "ax"
.globl _entry
_entry:
// Until misa has been looked at: instructions that each RISC-V hart has, of 32 bits, too.
.option push
.option norvc
  csrw mie, zero
  csrr a0, mhartid
  la   a2, no_isa
  on_trap unfit
  csrr t0, misa
  bgez t0, unfit               // not of 64 bits
  li   t1, MISA_NEEDED
  and  t0, t0, t1
  bne  t0, t1, unfit
.option pop
  la   a2, no_paging
  li   t1, SATP_SV39
  csrw satp, t1
  csrr t0, satp
  csrw satp, zero
  bne  t0, t1, unfit
  li   t0, NCPU
  bgeu a0, t0, park
  la   t0, machine_harts
  slli t1, a0, MH_SHIFT
  add  s1, t0, t1
  csrw mscratch, s1

  // Which optional features does the hart have?  What it lacks traps, which lands
  // on the next label all the same.  The timer bit of menvcfg alone proves nothing:
  // QEMU keeps it where there is no stimecmp.
  li   t2, 0
  on_trap 1f
  li   t1, (1 << 63) | (1 << 7)
  csrs MENVCFG, t1
  csrr t2, MENVCFG
  .balign 4
1:
  on_trap 2f
  li   t1, -1
  csrw STIMECMP, t1
  j    3f
  .balign 4
2:
  slli t2, t2, 1               // no FEATURE_SSTC
  srli t2, t2, 1
3:
  sd   t2, MH_FEATURES(s1)
  on_trap 4f                   // no memory protection: nothing to open
  li   t0, -1                  // one region, all of memory, for the levels below
  srli t0, t0, 10
  csrw pmpaddr0, t0
  li   t0, 0x0f
  csrw pmpcfg0, t0
  .balign 4
4:
  on_trap machine_trap
  li   t0, ~(1 << S_ECALL)
  csrw medeleg, t0
  li   t0, IRQ_SUPER
  csrw mideleg, t0
  li   t0, 7                   // cycle, time, instret for the levels below
  csrw mcounteren, t0
  li   t0, MSTATUS_MPP_S
  csrw mstatus, t0
  bnez a0, other_hart

  // The boot hart: a page table made at link time, a stack in the image.
  la   t0, boot_table
  srli t0, t0, 12
  li   t1, SATP_SV39
  or   t0, t0, t1
  csrw satp, t0
  sfence.vma
  li   t1, DIRECT_MAP
  la   sp, boot_stack_top
  add  sp, sp, t1
  la   tp, harts
  add  tp, tp, t1
  la   t0, boot_main
  add  t0, t0, t1
  csrw mepc, t0
  li   s0, 0
  mv   a0, a1
  mret

  // The places of its bell and timer are not known yet.  The bell wakes it from wfi; the boot
  // hart writes the addresses before `go`.
other_hart:
  csrwi mie, IRQ_MSI
1:
  ld   t0, MH_GO(s1)
  bnez t0, 2f
  wfi
  j    1b
2:
  fence r, rw
  li   t0, IRQ_MSI | IRQ_MTI
  csrw mie, t0
  ld   t0, MH_SATP(s1)
  csrw satp, t0
  sfence.vma
  fence.i
  ld   sp, MH_SP(s1)
  ld   tp, MH_TP(s1)
  la   t0, hart_main
  li   t1, DIRECT_MAP
  add  t0, t0, t1
  csrw mepc, t0
  li   s0, 0
  mret                         // to machine_trap first: the bell still rings

park:
  wfi
  j    park

// This hart cannot run the kernel: the boot hart says why, a2, and ends QEMU with failure.
// Of any hart's instructions again.
.balign 4
unfit:
.option push
.option norvc
  lui  a3, 1                   // status 1, in the upper half of the finisher's word
  slli a3, a3, 4
  beqz a0, say
1:
  wfi
  j    1b
say:
  lui  t0, UART_PAGE
1:
  lbu  t1, 0(a2)
  beqz t1, 3f
2:
  lbu  t2, LINE_STATUS(t0)
  andi t2, t2, TX_EMPTY
  beqz t2, 2b
  sb   t1, 0(t0)
  addi a2, a2, 1
  j    1b
3:
  lui  t0, FINISH_PAGE
  lui  t1, FAILED_ENTRY >> 12
  addi t1, t1, FAILED_ENTRY & 0xfff
  or   t1, t1, a3
  sw   t1, 0(t0)
4:
  wfi
  j    4b
.option pop

// Machine software interrupt: acknowledge, then see whether it was to stop this hart.
// In that order: a bell that rings after the look, even while this hart starts, rings
// again.  Machine timer: silence it.  Either becomes a supervisor software interrupt,
// whose handler sees what is due.
.balign 4
machine_trap:
  csrrw t0, mscratch, t0
  sd   t1, MH_T1(t0)
  sd   t2, MH_T2(t0)
  csrr t1, mcause
  bgez t1, machine_call
  andi t1, t1, 4               // 3: software, 7: timer
  bnez t1, 1f
  ld   t1, MH_MSIP(t0)
  sw   zero, 0(t1)
  fence o, rw                  // before machine_stop and the reasons (ipi_take) are read
  la   t2, machine_stop
  lw   t2, 0(t2)
  beqz t2, 2f
  csrr t1, mhartid
  addi t1, t1, 1
  bne  t1, t2, machine_stopped
  j    2f
1:
  ld   t1, MH_TIMECMP(t0)
  li   t2, -1
  sd   t2, 0(t1)
2:
  csrsi mip, 2
  ld   t1, MH_T1(t0)
  ld   t2, MH_T2(t0)
  csrrw t0, mscratch, t0
  mret

// Another hart has panicked: tell where this one was, and rest for ever.
machine_stopped:
  csrr t1, mepc
  sd   t1, MH_PC(t0)
  sd   ra, MH_RA(t0)
  sd   s0, MH_FP(t0)
  fence rw, w
  li   t1, 1
  sd   t1, MH_STOPPED(t0)
  csrw mie, zero
  j    park

// machine_interrupts_on: the registers that silence this hart's bell and timer are known.
// Anything else is a bug of this file: leave QEMU with status 127.
machine_call:
  li   t2, S_ECALL
  bne  t1, t2, 1f
  li   t1, IRQ_MSI | IRQ_MTI
  csrs mie, t1                 // sie is part of it, and in use
  csrr t1, mepc
  addi t1, t1, 4
  csrw mepc, t1
  ld   t1, MH_T1(t0)
  ld   t2, MH_T2(t0)
  csrrw t0, mscratch, t0
  mret
1:
  la   a2, bad_trap
  li   a3, 127 << 16
  j    say

.section .rodata
no_isa:
  .asciz "this hart cannot run the kernel: it lacks RV64IMAC, supervisor mode or user mode\n"
no_paging:
  .asciz "this hart cannot run the kernel: it has no Sv39 paging\n"
bad_trap:
  .asciz "an exception in machine mode: see machine_trap in kernel/arch/entry.S\n"

// Physical 0 to 255 GiB at DIRECT_MAP, for the time until kvm_init.
.section .data
.balign 4096
.globl boot_table
boot_table:
  .fill 256, 8, 0
  .set giga, 0
  .rept 255
  .8byte (giga << 28) | PTE_GIGA
  .set giga, giga + 1
  .endr
  .8byte 0

.section .bss
.balign KSTACK_SLOT
  .zero KSTACK_SIZE
  .zero KSTACK_SIZE
.globl boot_stack_top
boot_stack_top:
