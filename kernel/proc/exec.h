// Programs: checking, loading and starting them.
#pragma once

#include "lib/types.h"

struct new_program;

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

// The page of the new program's stack, with the strings and the array pushed to it.
struct stack_page {
  char *page;  // NULL: there is none
  uint64 top;  // offset of the array; what is above is in use
  int argc;
};

// Fetches the arguments.  Returns 0 and *out; or -E2BIG, -EFAULT or -ENOMEM, then there is
// no page.  May sleep; no lock held.
int exec_fetch(const struct arguments *args, struct stack_page *out);

// Frees the page, if it has not gone into a program.
void exec_drop_stack(struct stack_page *st);

// Loads a program beside the running one, with `st` as its stack.  Returns 0 and *out; or a
// negative errno: -ENOEXEC for anything wrong with the file, -ENOMEM, or what `read` said.
// Then what *out holds is to be dropped, and so is the stack.  May sleep; never touches
// user memory, so the file may be locked.
int exec_prepare(const struct program *prog, struct stack_page *st, struct new_program *out);

// Frees a program that will not run, if there is one.  No lock held.
void exec_drop(struct new_program *new);

// Replaces the calling process's program, ending its other threads first; the
// memory of `new` is used up.  Returns argc, the first result that main sees, or -EINTR
// when the process is ending or another thread was first.  Does not return in a thread
// other than the leader, which then goes on in its place.  May sleep: no lock held,
// since a thread that has to end may be waiting for it.
int exec_commit(const struct new_program *new);

// The leader, asked by STOP_EXEC: runs what another thread has prepared.
void exec_next(void);
