// Reasons for failure inside the kernel, returned negated.  Programs only ever
// see -1 (sys/syscall.c).
#pragma once

enum {
  EPERM = 1,      // not allowed for this caller
  ENOENT = 2,     // no such file
  ESRCH = 3,      // no such process
  EINTR = 4,      // killed while waiting, or the process is ending
  EIO = 5,        // the device failed
  E2BIG = 7,      // arguments too long
  ENOEXEC = 8,    // not a program
  EBADF = 9,      // not an open file, or not open for this
  ECHILD = 10,    // no child to wait for
  EAGAIN = 11,    // a table is full, or the value has changed already
  ENOMEM = 12,    // no frame to be had
  EACCES = 13,    // the region forbids the access
  EFAULT = 14,    // a user address that means nothing
  EEXIST = 17,    // the name is taken
  EXDEV = 18,     // on another device
  ENODEV = 19,    // no such device
  ENOTDIR = 20,   // not a directory
  EISDIR = 21,    // a directory
  EINVAL = 22,    // a senseless argument
  ENFILE = 23,    // too many files open in the system
  EMFILE = 24,    // too many files open in this process
  EFBIG = 27,     // larger than a file can be
  ENOSPC = 28,    // the disk is full
  EMLINK = 31,    // too many links
  EPIPE = 32,     // nobody reads
  ENAMETOOLONG = 36,
  ENOSYS = 38,    // no such call
  ENOTEMPTY = 39, // the directory holds names
};
