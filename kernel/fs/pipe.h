// Pipes: a ring of bytes with a reading and a writing end.
#pragma once

#include "lib/types.h"

struct pipe;
struct vm;

enum pipe_end { PIPE_READ, PIPE_WRITE };

// A pipe with both ends open; NULL when RAM is exhausted.
struct pipe *pipe_create(void);

// Closes an end; the second frees the pipe.  Nobody uses that end any more.
void pipe_close(struct pipe *p, enum pipe_end end);

// Moves up to n bytes to user address va.  Waits until there is at least one; returns how
// many, 0 when all writers are gone, or, with no byte lost, -EFAULT or another errno of the
// first byte, or -EINTR.  May sleep.
int64 pipe_read(struct pipe *p, struct vm *vm, uint64 va, uint64 n);

// Moves n bytes from user address va, waiting for room.  What one user buffer holds is not
// mixed with other writers' bytes.  Returns how many: fewer than n when the reader left, a
// page was bad or the process was killed, and if none, -EPIPE, -EFAULT or -EINTR.  May
// sleep.
int64 pipe_write(struct pipe *p, struct vm *vm, uint64 va, uint64 n);
