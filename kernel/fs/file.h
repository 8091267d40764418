// Open files: what a descriptor leads to, shared by all descriptors that were
// duplicated or inherited from the same open.
#pragma once

#include "fs/pipe.h"
#include "kernel/stat.h"
#include "lib/types.h"
#include "sync/sleeplock.h"

struct inode;
struct vm;

enum file_kind { FILE_NONE, FILE_PIPE, FILE_INODE, FILE_DEVICE };

struct file {
  uint32 refs;          // [atomic] the last one closes
  enum file_kind kind;  // [const once installed]; FILE_NONE: being made
  bool readable;        // [const once installed]
  bool writable;        // [const once installed]
  short major;          // [const once installed] FILE_DEVICE
  struct sleeplock lock;  // OFFSET
  uint32 off;           // [lock; atomic reads] FILE_INODE: where the next transfer begins
  struct inode *ip;     // [const once installed] FILE_INODE, FILE_DEVICE; a reference, or
                        // NULL: the console that process 1 was given (sys/first.h)
  void *state;          // [lock] FILE_DEVICE: what the device keeps for it, or NULL
  struct pipe *pipe;    // [const once installed] FILE_PIPE
};

// An open file of no kind with one reference.  Returns 0, -ENFILE when too many
// are open, or -ENOMEM.  Never sleeps.
int file_create(struct file **out);

// One more reference; returns f.
struct file *file_dup(struct file *f);

// Drops a reference; the last one closes the file.  May sleep; no inode locked,
// no log operation under way.
void file_put(struct file *f);

// Transfers between the file and user address va of vm, and moves the offset on.  n is not
// negative.  May sleep.  Return the bytes moved if there is at least one; otherwise 0 at
// the end of a file, or a negative errno: -EBADF for a file not open for that, -EFAULT for
// a bad first byte.  -EIO from file_write may also mean that the commit failed: the change
// stands in memory and is tried again with the next one, and the offset has not moved.
//
// What one buffer of mm/usercopy.h holds (64 KiB) is read from a file as of one moment, and
// written to a pipe in one piece.  A write to a file is one log operation for each few
// blocks, and atomic that far.
int64 file_read(struct file *f, struct vm *vm, uint64 va, int n);
int64 file_write(struct file *f, struct vm *vm, uint64 va, int n);

// What fstat tells.  Returns 0, -EBADF for a pipe, or -EIO.  May sleep.
int file_stat(struct file *f, struct stat *out);
