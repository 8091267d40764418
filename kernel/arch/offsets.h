// Numbers that assembly and C must agree on; arch/offsets.c checks them.
#pragma once

#define FRAME_RA    0
#define FRAME_SP    8
#define FRAME_TP    24
#define FRAME_S0    56
#define FRAME_A0    72
#define FRAME_SEPC  248
#define FRAME_HART  256
#define FRAME_STATUS 264
#define FRAME_SIZE  288

// A stack fills the upper half of a slot; its lower half is the guard.  So one
// address bit tells the two apart.
#define KSTACK_SHIFT  13
#define KSTACK_SIZE   (1 << KSTACK_SHIFT)
#define KSTACK_SLOT   (2 * KSTACK_SIZE)

// struct machine_hart
#define MH_T1       0
#define MH_T2       8
#define MH_MSIP     16
#define MH_TIMECMP  24
#define MH_GO       32
#define MH_SATP     40
#define MH_SP       48
#define MH_TP       56
#define MH_FEATURES 64
#define MH_STOPPED  72
#define MH_PC       80
#define MH_RA       88
#define MH_FP       96
#define MH_SHIFT    7
