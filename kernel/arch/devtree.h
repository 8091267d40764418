// What the machine is: read once at boot from the flattened device tree
// (Devicetree Specification 0.4, chapter 5) whose address arrives in a1.
#pragma once

#include "arch/hart.h"
#include "lib/types.h"

struct machine {
  uint64 ram_start, ram_end;        // physical
  uint64 initrd_start, initrd_end;  // physical; equal: none
  uint64 tree_start, tree_end;      // physical: the tree itself
  uint64 timebase;                  // clock ticks a second
  hartset harts;                    // those that exist, of the first NCPU
  char options[512];                // boot options: key=value, space-separated
};

extern struct machine machine;  // [const after boot]

// Fills `machine`.  Returns 0, or -EINVAL where there is no usable tree.
int devtree_read(uint64 tree_pa);

// The value of boot option `key` in out, cut to fit; false when it is not given.
bool boot_option(const char *key, char *out, size_t size);

// The decimal number that boot option `key` begins with; 0 when it is not given, or
// does not begin with one.
uint64 boot_number(const char *key);
