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

// Devices (physical).
#define FINISHER     0x00100000L
#define CLINT        0x02000000L
#define CLINT_SIZE   0x10000
#define PLIC         0x0c000000L
#define PLIC_SIZE    0x600000
#define UART0        0x10000000L
#define UART0_IRQ    10
#define VIRTIO0      0x10001000L
#define VIRTIO_SIZE  0x1000
#define VIRTIO0_IRQ  1
#define VIRTIO_SLOTS 8
