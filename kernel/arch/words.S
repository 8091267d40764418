// page_clear and page_copy (lib/string.h): one page, eight bytes at a time,
// unrolled so that the loop itself costs next to nothing.
.section .text
.globl page_clear
page_clear:
  li   t0, 4096
  add  t0, a0, t0
1:
  .set at, 0
  .rept 32
  sd   zero, at(a0)
  .set at, at + 8
  .endr
  addi a0, a0, 256
  bne  a0, t0, 1b
  ret

.globl page_copy
page_copy:
  li   t0, 4096
  add  t0, a0, t0
1:
  .set at, 0
  .rept 8
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
  addi a0, a0, 256
  addi a1, a1, 256
  bne  a0, t0, 1b
  ret
