// A process's descriptors and current directory.  proc/files.h is the part of
// this that processes need.
//
// The table may be shared by threads.  A descriptor that is being made is
// reserved first, so that it cannot fail once the file is open.
#pragma once

#include "fs/file.h"
#include "proc/files.h"

// A table with no descriptors whose directory is "/"; for the first process.
// NULL when RAM is exhausted.
struct files *files_create(void);

// A reference to an open file for the length of a call.
struct fd_ref {
  struct file *file;
  bool counted;  // false: only the caller can close the descriptor, so it needs none
};

// The file behind a descriptor of the calling process.  Returns 0 or -EBADF.  To
// be ended by fd_put.
int fd_get(int fd, struct fd_ref *ref);
static inline void fd_put(struct fd_ref *ref) {
  if (unlikely(ref->counted)) file_put(ref->file);
}

// Reserves the lowest free descriptor.  Returns it or -EMFILE.  To be ended by
// fd_install or fd_cancel.
int fd_reserve(void);

// Gives a reserved descriptor its file, and with it the caller's reference.
void fd_install(int fd, struct file *f);

// Frees a reserved descriptor.
void fd_cancel(int fd);

// Frees a descriptor and drops its reference.  Returns 0 or -EBADF.  May sleep.
int fd_close(int fd);

// The current directory, with a reference for the caller.
struct inode *files_directory(void);

// Makes dp, with its reference, the current directory.  May sleep.
void files_change_directory(struct inode *dp);
