// The only road to user bytes.
//
// Each function resolves lazy and copy-on-write pages on its way, exactly as an
// access from user mode would, and fails where that would kill: no region, the
// guard, a write to read-only memory, no frame to be had.  They may sleep: no
// spinlock held, which every build asserts.  `vm` is locked here, shared; the
// caller must not hold its lock.
#pragma once

#include "lib/types.h"

struct vm;

// Copy len bytes between kernel memory and user address va of vm.  Return 0 or
// a negative errno; on failure a part may have been copied.
int copyin(struct vm *vm, void *dst, uint64 va, uint64 len);
int copyout(struct vm *vm, uint64 va, const void *src, uint64 len);

// Copies a NUL-terminated string from va into dst of `size` bytes.  Returns its
// length without the NUL, -ENAMETOOLONG if no NUL fits, or another errno.
int64 copyinstr(struct vm *vm, char *dst, uint64 va, uint64 size);
