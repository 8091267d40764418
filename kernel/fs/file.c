// Open files.  See fs/file.h.  Locks: none of its own; references are atomic,
// the offset belongs to the inode's lock.
#include "fs/file.h"

#include "dev/device.h"
#include "fs/inode.h"
#include "lib/assert.h"
#include "lib/atomic.h"
#include "lib/errno.h"
#include "mm/slab.h"

static struct slab_cache files = SLAB_CACHE(files, struct file);
static struct {
  uint32 count;  // [atomic] at most NFILE
} OWN_LINE open_files;

int file_create(struct file **out) {
  struct file *f = NULL;
  int err = -ENFILE;
  if (atomic_add(&open_files.count, 1) < NFILE) {
    f = slab_alloc(&files);
    err = -ENOMEM;
  }
  if (f == NULL) {
    atomic_add(&open_files.count, -1);
    return err;
  }
  *f = (struct file){.refs = 1};
  *out = f;
  return 0;
}

struct file *file_dup(struct file *f) {
  uint32 before = atomic_add(&f->refs, 1);
  ASSERT(before != 0);
  return f;
}

void file_put(struct file *f) {
  uint32 before = atomic_add_acq_rel(&f->refs, -1);
  ASSERT(before != 0);
  if (before > 1) return;
  if (f->kind == FILE_PIPE) pipe_close(f->pipe, f->writable ? PIPE_WRITE : PIPE_READ);
  if (f->kind == FILE_INODE || f->kind == FILE_DEVICE) iput(f->ip);
  slab_free(&files, f);
  atomic_add(&open_files.count, -1);
}

// Not in line, like write_inode, since a pipe needs fewer registers.
static NOINLINE int64 read_inode(struct file *f, struct vm *vm, uint64 va, int n) {
  int64 got = ilock(f->ip);
  if (got != 0) return got;
  got = inode_read_user(f->ip, vm, va, f->off, n);
  if (got > 0) f->off += got;
  iunlock(f->ip);
  return got;
}

int64 file_read(struct file *f, struct vm *vm, uint64 va, int n) {
  if (!f->readable) return -EBADF;
  if (n == 0) return 0;
  switch (f->kind) {
    case FILE_INODE:
      return read_inode(f, vm, va, n);
    case FILE_PIPE:
      return pipe_read(f->pipe, vm, va, n);
    case FILE_DEVICE:
      return devices[f->major].read == NULL ? -ENODEV : devices[f->major].read(va, n);
    default:
      return -EBADF;
  }
}

// One operation's worth of a write.
static int64 write_part(struct file *f, struct vm *vm, uint64 va, uint64 n) {
  struct op op;
  int err = begin_op(&op, inode_write_cost(n));
  if (err != 0) return err;
  int64 put = ilock(f->ip);
  if (put == 0) {
    put = inode_write_user(&op, f->ip, vm, va, f->off, n);
    if (put > 0) f->off += put;
    iunlock(f->ip);
  }
  err = end_op(&op);
  return err == 0 ? put : err;
}

// Half of the log for one operation, so that a long write does not keep all
// others out.
static NOINLINE int64 write_inode(struct file *f, struct vm *vm, uint64 va, uint64 n) {
  uint64 limit = inode_write_limit(MAX(log_capacity() / 2, (uint32)MAXOPBLOCKS));
  uint64 done = 0;
  while (done < n) {
    uint64 part = MIN(n - done, limit);
    int64 put = write_part(f, vm, va + done, part);
    if (put < 0) return done > 0 ? (int64)done : put;
    done += put;
    if ((uint64)put < part) break;
  }
  return done;
}

int64 file_write(struct file *f, struct vm *vm, uint64 va, int n) {
  if (!f->writable) return -EBADF;
  if (n == 0) return 0;
  switch (f->kind) {
    case FILE_INODE:
      return write_inode(f, vm, va, n);
    case FILE_PIPE:
      return pipe_write(f->pipe, vm, va, n);
    case FILE_DEVICE:
      return devices[f->major].write == NULL ? -ENODEV : devices[f->major].write(va, n);
    default:
      return -EBADF;
  }
}

int file_stat(struct file *f, struct stat *out) {
  if (f->kind != FILE_INODE && f->kind != FILE_DEVICE) return -EBADF;
  int err = ilock(f->ip);
  if (err != 0) return err;
  const struct dinode *d = f->ip->d;
  // Assigned whole: the padding goes to the program too.
  *out = (struct stat){0};
  out->dev = ROOTDEV;
  out->ino = f->ip->inum;
  out->type = d->type;
  out->nlink = d->nlink;
  out->size = d->size;
  iunlock(f->ip);
  return 0;
}
