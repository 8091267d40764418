// What the machine is: read once at boot from the flattened device tree whose address
// arrives in a1 (Devicetree Specification 0.4).
#pragma once

#include "arch/hart.h"
#include "arch/options.h"
#include "lib/types.h"

#define MAX_PLICS    8   // QEMU's virt has one for each NUMA node, and 8 nodes at most
#define MAX_DISKS    8   // virtio slots looked at
#define MAX_WINDOWS  48  // pieces of device registers

struct pa_range {
  uint64 start, end;  // physical
};

// A device's registers, and its interrupt: a source of the controller with that phandle.
struct mmio_device {
  uint64 base;  // physical; 0: none
  uint32 controller;
  uint32 source;
};

struct plic {
  uint64 base;
  uint32 phandle;
};

// Where a hart's external interrupts come from: contexts of plics[plic], one for supervisor
// mode, one for machine mode.
struct plic_context {
  bool exists;
  uint32 plic;
  uint32 number;
  uint32 machine_number;
};

struct machine {
  uint64 ram_start, ram_end;        // physical
  uint64 initrd_start, initrd_end;  // physical; equal: none
  uint64 tree_start, tree_end;      // physical: the tree itself
  uint64 ram_unused;                // bytes elsewhere, which are left alone
  uint64 timebase;                  // clock ticks a second
  hartset harts;                    // those that are used
  uint32 harts_listed;              // those that the tree lists
  uint64 finisher;                  // where QEMU is told to end
  struct mmio_device uart;
  struct mmio_device disks[MAX_DISKS];   // virtio slots by rising address
  uint32 disk_count;
  struct plic plics[MAX_PLICS];
  uint32 plic_count;
  struct plic_context contexts[NCPU];
  struct pa_range windows[MAX_WINDOWS];  // of all registers above and of the CLINTs
  uint32 window_count;
};

extern struct machine machine;  // [const after boot]

// Fills `machine`, the registers of machine_harts (arch/machine.h) and the boot options.
// Returns NULL, or in words what is missing; then uart and finisher are usable all the same.
const char *devtree_read(uint64 tree_pa);
