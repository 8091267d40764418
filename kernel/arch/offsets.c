// Checks that the numbers in offsets.h are those of the structures.
#include "arch/offsets.h"

#include "arch/hart.h"
#include "arch/machine.h"
#include "arch/trapframe.h"

#define SAME(number, type, field) \
  _Static_assert((number) == offsetof(type, field), #type "." #field " has moved")

SAME(FRAME_RA, struct trapframe, ra);
SAME(FRAME_SP, struct trapframe, sp);
SAME(FRAME_TP, struct trapframe, tp);
SAME(FRAME_S0, struct trapframe, s0);
SAME(FRAME_A0, struct trapframe, a[0]);
SAME(FRAME_SEPC, struct trapframe, sepc);
SAME(FRAME_HART, struct trapframe, hart);
SAME(FRAME_STATUS, struct trapframe, sstatus);
_Static_assert(sizeof(struct trapframe) == FRAME_SIZE && FRAME_SIZE % 16 == 0, "frame size");
SAME(0, struct hart, proc);
SAME(MH_T1, struct machine_hart, saved[0]);
SAME(MH_T2, struct machine_hart, saved[1]);
SAME(MH_MSIP, struct machine_hart, msip);
SAME(MH_TIMECMP, struct machine_hart, timecmp);
SAME(MH_GO, struct machine_hart, go);
SAME(MH_SATP, struct machine_hart, satp);
SAME(MH_SP, struct machine_hart, sp);
SAME(MH_TP, struct machine_hart, tp);
SAME(MH_FEATURES, struct machine_hart, features);
SAME(MH_STOPPED, struct machine_hart, stopped);
SAME(MH_PC, struct machine_hart, pc);
SAME(MH_RA, struct machine_hart, ra);
SAME(MH_FP, struct machine_hart, fp);
_Static_assert(sizeof(struct machine_hart) == 1 << MH_SHIFT, "struct machine_hart");
