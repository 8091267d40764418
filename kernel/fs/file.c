// Open files.  See fs/file.h.  Locks: OFFSET, each file's own; references are atomic.
//
// User pages are made ready before a lock is taken, and bytes are copied with locks held
// only where that cannot fault (mm/usercopy.h).
#include "fs/file.h"

#include "dev/device.h"
#include "fs/inode.h"
#include "kernel/atomic.h"
#include "lib/assert.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "mm/usercopy.h"
#include "proc/proc.h"

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
  initsleeplock(&f->lock, LOCK_OFFSET);
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
  if (f->state != NULL) devices[f->major].close(f->state);
  if (f->ip != NULL) iput(f->ip);
  slab_free(&files, f);
  atomic_add(&open_files.count, -1);
}

// --- files ------------------------------------------------------------------

// How much of a file is left to read.  Looked at without its lock, so that no more pages
// are made ready than will be written to; a file that grows at this moment may be seen as
// it was before.
static uint64 left_to_read(const struct file *f) {
  uint32 size = atomic_load(&f->ip->d->size), off = atomic_load(&f->off);
  return size > off ? size - off : 0;
}

// Reads at the offset, and moves it on.  The file's lock is held.
static int64 read_at_offset(struct file *f, const struct io_buffer *io) {
  int64 got = ilock(f->ip);
  if (got != 0) return got;
  got = inode_read(f->ip, io, f->off);
  iunlock(f->ip);
  if (got > 0) f->off += got;
  return got;
}

// One buffer's worth, or what is left.
static int64 read_part(struct file *f, struct vm *vm, uint64 va, uint64 n) {
  struct io_buffer io;
  user_write_begin(&io, vm, va, n);
  int64 got = io.err;
  if (likely(io.len > 0)) {
    acquiresleep(&f->lock);
    got = read_at_offset(f, &io);
    releasesleep(&f->lock);
  }
  user_io_end(&io, vm);
  return got;
}

// A device that keeps something for each open file.
static NOINLINE int64 read_open_device(struct file *f, struct vm *vm, uint64 va, uint64 n) {
  struct io_buffer io;
  user_write_begin(&io, vm, va, n);
  acquiresleep(&f->lock);
  int64 got = devices[f->major].read_open(&f->state, &io);
  releasesleep(&f->lock);
  user_io_end(&io, vm);
  return got;
}

static int64 read_device(struct file *f, struct vm *vm, uint64 va, int n) {
  const struct device *d = &devices[f->major];
  if (d->read_open != NULL) return read_open_device(f, vm, va, n);
  return d->read == NULL ? -ENODEV : d->read(va, n);
}

// Not in line, like write_inode, since a pipe needs fewer registers.
static NOINLINE int64 read_inode(struct file *f, struct vm *vm, uint64 va, uint64 n) {
  n = MIN(n, left_to_read(f));
  int64 got = 0;
  uint64 done = 0;
  while (done < n && !(done > 0 && killed(myproc()))) {
    got = read_part(f, vm, va + done, n - done);
    if (got <= 0) break;
    done += got;
  }
  return done > 0 ? (int64)done : got;
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
      return read_device(f, vm, va, n);
    default:
      return -EBADF;
  }
}

// Writes at the offset in one operation, and moves it on once that is on the disk: after a
// commit that failed, the bytes stand in memory, and writing them again puts them in the
// same place.  The file's lock is held.
static int64 write_at_offset(struct file *f, const struct io_buffer *io) {
  struct op op;
  int err = begin_op(&op, inode_write_cost(io->len));
  if (err != 0) return err;
  int64 put = ilock(f->ip);
  if (put == 0) {
    put = inode_write(&op, f->ip, io, f->off);
    iunlock(f->ip);
  }
  err = end_op(&op);
  if (err != 0) return err;
  if (put > 0) f->off += put;
  return put;
}

static int64 write_part(struct file *f, struct vm *vm, uint64 va, uint64 n) {
  struct io_buffer io;
  user_read_begin(&io, vm, va, n);
  int64 put = io.err;
  if (likely(io.len > 0)) {
    acquiresleep(&f->lock);
    put = write_at_offset(f, &io);
    releasesleep(&f->lock);
  }
  user_io_end(&io, vm);
  return put;
}

// Half of the log for one operation, so that a long write does not keep all
// others out.
static NOINLINE int64 write_inode(struct file *f, struct vm *vm, uint64 va, uint64 n) {
  uint64 limit = inode_write_limit(MAX(log_capacity() / 2, (uint32)MAXOPBLOCKS));
  int64 put = 0;
  uint64 done = 0;
  while (done < n && !(done > 0 && killed(myproc()))) {
    put = write_part(f, vm, va + done, MIN(n - done, limit));
    if (put <= 0) break;
    done += put;
  }
  return done > 0 ? (int64)done : put;
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
  memset(out, 0, sizeof *out);  // the padding goes to the program too
  out->dev = ROOTDEV;
  out->type = T_DEVICE;
  if (f->ip == NULL) return 0;
  int err = ilock(f->ip);
  if (err != 0) return err;
  const struct dinode *d = f->ip->d;
  out->ino = f->ip->inum;
  out->type = d->type;
  out->nlink = d->nlink;
  out->size = d->size;
  iunlock(f->ip);
  return 0;
}
