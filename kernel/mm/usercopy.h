// The only road to user bytes.
//
// Each function resolves demand-zero and copy-on-write pages on its way, exactly as an
// access from user mode would, and fails where that would kill: no region, the guard, a
// write to read-only memory, no frame to be had.  All may sleep, and take the lock of
// `vm`, which ranks before every other sleeping lock: no spinlock is held, which every
// build asserts, and no lock or turn that another process may wait for, which DEBUG does.
// Every byte of user memory is read once.
//
//   I15  Whatever is copied while a lock ranked behind VM is held goes through a struct
//        io_buffer, whose bytes cannot fault.  So one program's memory never holds up
//        another's files.
#pragma once

#include "arch/pte.h"
#include "lib/assert.h"
#include "lib/types.h"

struct vm;

// Copy len bytes between kernel memory and user address va of vm.  Return 0 or
// a negative errno; on failure a part may have been copied.
int copyin(struct vm *vm, void *dst, uint64 va, uint64 len);
int copyout(struct vm *vm, uint64 va, const void *src, uint64 len);

// Copies a NUL-terminated string from va into dst of `size` bytes.  Returns its
// length without the NUL, -ENAMETOOLONG if no NUL fits, or another errno.
int64 copyinstr(struct vm *vm, char *dst, uint64 va, uint64 size);

// A piece of user memory that can be copied to or from without a fault, and therefore with
// locks held.  In a single-threaded vm, whose thread is the caller, a page that is ready
// stays ready.  Otherwise its frame is pinned: another thread may unmap it, and then the
// copy counts as one made before that; it is never freed, shared with a child (which
// gets a copy: uvm_part_pinned) or replaced as long as it can be written.  What a shrink
// cuts off inside a page may get its bytes, as it may from the program's own stores.
#define IO_BUFFER_MAX  (64 * 1024UL)

enum { IO_UNPIN = 1, IO_SYNC_CODE = 2 };

struct io_buffer {
  uint64 len;      // bytes that may be copied, counted from the first
  int err;         // if fewer than wanted: 0 (one buffer holds no more), or why
  uint32 offset;   // of the first byte in its page
  uint32 todo;     // at the end: of IO_UNPIN and IO_SYNC_CODE
  char *pages[IO_BUFFER_MAX / PGSIZE + 1];  // their addresses in the direct map
};

// Make up to n bytes at va ready to be written, or read, by the kernel.
void user_write_begin(struct io_buffer *io, struct vm *vm, uint64 va, uint64 n);
void user_read_begin(struct io_buffer *io, struct vm *vm, uint64 va, uint64 n);

// Ends the use of a buffer, and sees to it that what was written to executable pages is
// fetched.  No lock held.
void user_io_finish(struct io_buffer *io, struct vm *vm);
static inline void user_io_end(struct io_buffer *io, struct vm *vm) {
  if (unlikely(io->todo != 0)) user_io_finish(io, vm);
}

// The n bytes of kernel memory at `at`, at most IO_BUFFER_MAX, as such a buffer.  Needs no
// end.
static inline void kernel_io(struct io_buffer *io, const void *at, uint64 n) {
  DEBUG_ASSERT(n <= IO_BUFFER_MAX);
  io->len = n;
  io->offset = (uint64)at % PGSIZE;
  char *page = (char *)PGROUNDDOWN((uint64)at);
  for (uint64 i = 0; i * PGSIZE < io->offset + n; i++) io->pages[i] = page + i * PGSIZE;
}

// Where byte i (less than len) of the buffer is; *n is cut to what lies in one piece
// there.
static inline char *io_buffer_at(const struct io_buffer *io, uint64 i, uint64 *n) {
  uint64 at = io->offset + i;
  *n = MIN(*n, PGSIZE - at % PGSIZE);
  return io->pages[at / PGSIZE] + at % PGSIZE;
}
