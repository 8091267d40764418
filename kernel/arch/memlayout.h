// The kernel's address map.
//
// Physical addresses are those of QEMU's virt machine.  All of it that the
// kernel uses appears at one virtual offset, the direct map; the kernel image is
// linked inside it, so there is one mapping of everything and nothing writable
// is executable under another name.  The upper half of every page table is the
// same: root entries 256 to 511.
//
//   0                    user half, see kernel/memlayout.h
//   0xffffffc000000000   DIRECT_MAP: physical 0 upward
//   0xffffffffc0000000   KSTACKS: kernel stacks, each above an unmapped guard
#pragma once

#include "kernel/memlayout.h"

#define DIRECT_MAP  0xffffffc000000000
#define KSTACKS     0xffffffffc0000000

// Between a physical address (uint64) and the pointer to it.
#define pa_to_va(pa)  ((void *)((uint64)(pa) + DIRECT_MAP))
#define va_to_pa(va)  ((uint64)(va) - DIRECT_MAP)

// Where QEMU's virt machine has what is needed to say that there is no device tree; the
// tree gives the places of all other devices, and of these (arch/devtree.h).
#define FINISHER     0x00100000L
#define UART0        0x10000000L
