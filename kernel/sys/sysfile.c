// System calls on descriptors: dup, read, write, close, fstat, pipe.  Calls that
// take a path are in sys/syspath.c.  No locks of its own.
#include "arch/current.h"
#include "fs/fdtable.h"
#include "lib/errno.h"
#include "mm/usercopy.h"
#include "proc/proc.h"
#include "sys/args.h"
#include "sys/calls.h"

int64 sys_dup(const uint64 *a) {
  struct fd_ref ref;
  int err = fd_get(arg_int(a, 0), &ref);
  if (err != 0) return err;
  int fd = fd_reserve();
  if (fd >= 0) fd_install(fd, file_dup(ref.file));
  fd_put(&ref);
  return fd;
}

int64 sys_read(const uint64 *a) {
  struct fd_ref ref;
  int n = arg_int(a, 2);
  int64 result = fd_get(arg_int(a, 0), &ref);
  if (result != 0) return result;
  result = n < 0 ? -EINVAL : file_read(ref.file, myproc()->vm, a[1], n);
  fd_put(&ref);
  return result;
}

int64 sys_write(const uint64 *a) {
  struct fd_ref ref;
  int n = arg_int(a, 2);
  int64 result = fd_get(arg_int(a, 0), &ref);
  if (result != 0) return result;
  result = n < 0 ? -EINVAL : file_write(ref.file, myproc()->vm, a[1], n);
  fd_put(&ref);
  return result;
}

int64 sys_close(const uint64 *a) { return fd_close(arg_int(a, 0)); }

int64 sys_fstat(const uint64 *a) {
  struct fd_ref ref;
  int err = fd_get(arg_int(a, 0), &ref);
  if (err != 0) return err;
  struct stat st;
  err = file_stat(ref.file, &st);
  fd_put(&ref);
  return err == 0 ? copyout(myproc()->vm, a[1], &st, sizeof st) : err;
}

// Two open files on a new pipe, by enum pipe_end.
static int make_ends(struct file *end[2]) {
  int err = file_create(&end[PIPE_READ]);
  if (err != 0) return err;
  err = file_create(&end[PIPE_WRITE]);
  if (err != 0) goto no_writer;
  struct pipe *pipe = pipe_create();
  err = -ENOMEM;
  if (pipe == NULL) goto no_pipe;
  end[PIPE_READ]->readable = true;
  end[PIPE_WRITE]->writable = true;
  for (int i = 0; i < 2; i++) {
    end[i]->pipe = pipe;
    end[i]->kind = FILE_PIPE;
  }
  return 0;

no_pipe:
  file_put(end[PIPE_WRITE]);
no_writer:
  file_put(end[PIPE_READ]);
  return err;
}

// The descriptors are told to the program before they lead anywhere, so a bad
// address leaves nothing open, and no other thread has seen them.
int64 sys_pipe(const uint64 *a) {
  struct file *end[2];
  int fd[2];
  int err = make_ends(end);
  if (err != 0) return err;
  err = fd[0] = fd_reserve();
  if (err < 0) goto no_fd;
  err = fd[1] = fd_reserve();
  if (err < 0) goto no_second_fd;
  err = copyout(myproc()->vm, a[0], fd, sizeof fd);
  if (err != 0) goto not_told;
  fd_install(fd[0], end[PIPE_READ]);
  fd_install(fd[1], end[PIPE_WRITE]);
  return 0;

not_told:
  fd_cancel(fd[1]);
no_second_fd:
  fd_cancel(fd[0]);
no_fd:
  file_put(end[PIPE_WRITE]);
  file_put(end[PIPE_READ]);
  return err;
}
