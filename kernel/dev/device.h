// Character devices: what an inode of type T_DEVICE leads to.
#pragma once

#include "kernel/param.h"
#include "lib/types.h"

enum { DEV_CONSOLE = 1, DEV_STATS = 2 };  // major numbers

// Transfers between a device and user memory of the calling process.  Return
// the bytes moved or a negative errno; may sleep; no spinlock held.
struct device {
  int (*read)(uint64 va, int n);
  int (*write)(uint64 va, int n);
};

// [const after boot] Indexed by major number; a missing function is NULL.
extern struct device devices[NDEV];
