// Programs: checking, loading and starting them.
#pragma once

#include "lib/types.h"

// Where a program's bytes come from: `read` fills dst with n bytes from offset off
// of `file` and returns how many it got, or a negative errno.  May sleep.
struct program {
  const char *name;   // the last part of its path
  void *file;
  uint64 size;        // bytes
  int (*read)(void *file, void *dst, uint64 off, uint32 n);
};

// The arguments: an array of strings, ended by a null, in user memory or, for the
// first program, in the kernel's.
struct arguments {
  uint64 user;                // address; 0: the other one
  const char *const *kernel;
};

// Replaces the calling process's program.  Returns argc, the first result that
// main sees; or a negative errno, then the caller goes on as it was: -ENOEXEC for
// anything wrong with the file, -E2BIG, -EFAULT, -ENOMEM, or what `read` said.
// May sleep.
int exec(const struct program *prog, const struct arguments *args);
