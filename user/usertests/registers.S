// uint64 registers_stay(uint64 mark, uint64 rounds)
//
// Gives each register but sp, t5 and t6 a value of its own, made from `mark`, spins for
// so many rounds of a loop, and returns 0 if all of them are as they were.  t5 keeps the
// mark: were it lost, none would fit.
.macro each_register op
  \op ra, 1
  \op gp, 3
  \op tp, 4
  \op t0, 5
  \op t1, 6
  \op t2, 7
  \op s0, 8
  \op s1, 9
  \op a0, 10
  \op a1, 11
  \op a2, 12
  \op a3, 13
  \op a4, 14
  \op a5, 15
  \op a6, 16
  \op a7, 17
  \op s2, 18
  \op s3, 19
  \op s4, 20
  \op s5, 21
  \op s6, 22
  \op s7, 23
  \op s8, 24
  \op s9, 25
  \op s10, 26
  \op s11, 27
  \op t3, 28
  \op t4, 29
.endm

.macro mark_it reg, n
  addi \reg, t5, \n
.endm

.macro check_it reg, n
  addi \reg, \reg, -\n
  xor  \reg, \reg, t5
  or   t6, t6, \reg
.endm

.macro keep_it reg, n
  sd   \reg, 8 * \n(sp)
.endm

.macro give_back reg, n
  ld   \reg, 8 * \n(sp)
.endm

.globl registers_stay
registers_stay:
  addi sp, sp, -256
  each_register keep_it
  mv   t5, a0
  mv   t6, a1
  each_register mark_it
1:
  addi t6, t6, -1
  bnez t6, 1b
  each_register check_it
  each_register give_back
  mv   a0, t6
  addi sp, sp, 256
  ret

// A whole program, from exec_probe to exec_probe_end, to be put into a file: it exits with
// 40, or with 41 if any register but sp, a0 and a1 is not zero at its start.
.macro gather reg, n
  .ifnc \reg, a0
  .ifnc \reg, a1
  or   t5, t5, \reg
  .endif
  .endif
.endm

.globl exec_probe, exec_probe_end
exec_probe:
  or   t5, t5, t6
  each_register gather
  snez a0, t5
  addi a0, a0, 40
  li   a7, 2
  ecall
exec_probe_end:

// long exec_marked(const char *path, char **argv): exec with a mark in each register.  Returns
// only if that fails, and then to nowhere.
.globl exec_marked
exec_marked:
  addi sp, sp, -16
  sd   a0, 0(sp)
  sd   a1, 8(sp)
  li   t5, 0x5ec0
  mv   t6, t5
  each_register mark_it
  ld   a0, 0(sp)
  ld   a1, 8(sp)
  li   a7, 7
  ecall
  unimp
