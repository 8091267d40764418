// Character devices: what an inode of type T_DEVICE leads to.
#pragma once

#include "kernel/param.h"
#include "lib/types.h"

enum { DEV_CONSOLE = 1, DEV_STATS = 2 };  // major numbers

// Transfers between a device and user memory of the calling process.  Return
// the bytes moved or a negative errno; may sleep; no spinlock held.
//
// A device that keeps something for each open file has the other two: *state is NULL
// when the file is opened, read_open is called for one reader of the file at a time, with
// its lock held and a buffer that cannot fault, and close with what was left in *state.
struct io_buffer;
struct device {
  int (*read)(uint64 va, int n);
  int (*write)(uint64 va, int n);
  int64 (*read_open)(void **state, const struct io_buffer *io);
  void (*close)(void *state);
};

// [const after boot] Indexed by major number; a missing function is NULL.
extern struct device devices[NDEV];
