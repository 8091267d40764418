// long raw_call(uint64 number, const uint64 a[6]): any system call, with any
// arguments.
  .text
  .globl raw_call
raw_call:
  mv a7, a0
  mv t0, a1
  ld a0, 0(t0)
  ld a1, 8(t0)
  ld a2, 16(t0)
  ld a3, 24(t0)
  ld a4, 32(t0)
  ld a5, 40(t0)
  ecall
  ret
