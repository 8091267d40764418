// page_clear, page_copy and copy_words (lib/string.h): eight bytes at a time, unrolled
// so that the loop itself costs next to nothing.
#define CLEAR_ROUND 1024  // bytes
#define LONG_ROUND  512
#define SHORT_ROUND 64

.section .text
.globl page_clear
page_clear:
  li   t0, 4096
  add  t0, a0, t0
1:
  .set at, 0
  .rept CLEAR_ROUND / 8
  sd   zero, at(a0)
  .set at, at + 8
  .endr
  addi a0, a0, CLEAR_ROUND
  bne  a0, t0, 1b
  ret

// Copies `bytes` from a1 to a0 and moves both on.
.macro copy_round bytes
  .set at, 0
  .rept \bytes / 32
  ld   t1, at(a1)
  ld   t2, at + 8(a1)
  ld   t3, at + 16(a1)
  ld   t4, at + 24(a1)
  sd   t1, at(a0)
  sd   t2, at + 8(a0)
  sd   t3, at + 16(a0)
  sd   t4, at + 24(a0)
  .set at, at + 32
  .endr
  addi a0, a0, \bytes
  addi a1, a1, \bytes
.endm

.globl page_copy
page_copy:
  li   a2, 4096
.globl copy_words
copy_words:
  mv   t5, a0
  add  a2, a0, a2              // end
  addi t0, a2, -LONG_ROUND     // no long round begins behind this
  addi t6, a2, -SHORT_ROUND
  bltu t0, a0, 2f
1:
  copy_round LONG_ROUND
  bgeu t0, a0, 1b
2:
  bltu t6, a0, 4f
3:
  copy_round SHORT_ROUND
  bgeu t6, a0, 3b
4:
  beq  a0, a2, 6f
5:
  ld   t1, 0(a1)
  addi a1, a1, 8
  addi a0, a0, 8
  sd   t1, -8(a0)
  bne  a0, a2, 5b
6:
  mv   a0, t5
  ret
