// The part of the kernel that runs in machine mode: reset, and the conversion
// of machine-level software and timer interrupts into supervisor ones.
//
// QEMU's virt machine offers only machine-level inter-processor interrupts (the
// CLINT's msip) and, on harts without Sstc, only a machine-level timer.  The
// handler in arch/entry.S turns either into the supervisor software interrupt.
// Machine mode itself always runs with mstatus.MIE off, so it is never
// interrupted; and since it cannot be masked from supervisor mode, it can stop
// and question a hart that spins with interrupts off.
#pragma once

#include "kernel/param.h"
#include "lib/types.h"

// menvcfg bits as read back after trying to set them at reset.
#define FEATURE_SSTC    (1UL << 63)
#define FEATURE_ZICBOZ  (1UL << 7)

struct machine_hart {
  uint64 saved[2];   // registers of whatever was interrupted
  uint64 msip;       // physical addresses of this hart's bell and timer, from the device
  uint64 timecmp;    // tree, [const before it is started]; 0: none
  uint64 go;         // [atomic] set by the boot hart, then rung: the next three are valid
  uint64 satp;
  uint64 sp;
  uint64 tp;
  uint64 features;   // [const after reset]
  uint64 stopped;    // [atomic] answered machine_stop; the next three are valid
  uint64 pc, ra, fp;
  uint64 pad[3];
};

extern struct machine_hart machine_harts[NCPU];

// [atomic] 0, or 1 + the number of the hart that has panicked.  Any other hart that
// takes a machine software interrupt then stops for ever; that one is never stopped.
extern uint32 machine_stop;

// Silences the bells and timers of all harts, whose registers are known, and lets machine
// mode take this hart's interrupts.  Once, on the boot hart, before another is started.
void machine_interrupts_on(void);

// Starts hart `id` (which waits since reset) in supervisor mode at hart_main,
// with page table `satp`, stack `sp` and thread pointer `tp`.
void machine_start_hart(uint32 id, uint64 satp, uint64 sp, uint64 tp);
