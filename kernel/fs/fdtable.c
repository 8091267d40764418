// Descriptor tables.  See fs/fdtable.h and proc/files.h.
//
// Locks: FTABLE, each table's own.  A table that only one thread refers to is
// only touched by that thread, in whose power alone it is to share it; looking
// up a descriptor then takes neither the lock nor a reference.
#include "fs/fdtable.h"

#include "fs/inode.h"
#include "kernel/atomic.h"
#include "kernel/param.h"
#include "lib/assert.h"
#include "lib/errno.h"
#include "mm/slab.h"
#include "proc/proc.h"
#include "sync/spinlock.h"

struct files {
  struct spinlock lock;       // FTABLE
  uint32 refs;                // [atomic] the last one frees
  uint32 used;                // [lock] bit i: descriptor i is taken
  struct inode *directory;    // [lock]
  struct file *open[NOFILE];  // [lock] NULL: free, or only reserved
};
_Static_assert(NOFILE < 32, "descriptors fit the bits of `used`");

static struct slab_cache tables = SLAB_CACHE(tables, struct files);

static struct files *table_create(void) {
  struct files *t = slab_alloc(&tables);
  if (t == NULL) return NULL;
  *t = (struct files){.refs = 1};
  initlock(&t->lock, LOCK_FTABLE);
  return t;
}

struct files *files_create(void) {
  struct files *t = table_create();
  if (t == NULL || iget(ROOTINO, &t->directory) == 0) return t;
  slab_free(&tables, t);
  return NULL;
}

int files_fork(struct files *from, struct files **out) {
  struct files *t = table_create();
  if (t == NULL) return -ENOMEM;
  acquire(&from->lock);
  t->directory = idup(from->directory);
  for (int fd = 0; fd < NOFILE; fd++) {
    if (from->open[fd] == NULL) continue;
    t->open[fd] = file_dup(from->open[fd]);
    t->used |= 1u << fd;
  }
  release(&from->lock);
  *out = t;
  return 0;
}

struct files *files_share(struct files *t) {
  atomic_add(&t->refs, 1);
  return t;
}

void files_put(struct files *t) {
  uint32 before = atomic_add_acq_rel(&t->refs, -1);
  ASSERT(before != 0);
  if (before > 1) return;
  for (int fd = 0; fd < NOFILE; fd++)
    if (t->open[fd] != NULL) file_put(t->open[fd]);
  iput(t->directory);
  slab_free(&tables, t);
}

// --- descriptors ------------------------------------------------------------

// In a table that other threads use.
static NOINLINE int get_counted(struct files *t, int fd, struct fd_ref *ref) {
  acquire(&t->lock);
  ref->file = t->open[fd];
  if (ref->file != NULL) file_dup(ref->file);
  release(&t->lock);
  return ref->file == NULL ? -EBADF : 0;
}

int fd_get(int fd, struct fd_ref *ref) {
  struct files *t = myproc()->files;
  if (unlikely((uint32)fd >= NOFILE)) return -EBADF;
  // Acquire: of what other threads did before they ended.
  ref->counted = atomic_load_acquire(&t->refs) != 1;
  if (unlikely(ref->counted)) return get_counted(t, fd, ref);
  ref->file = t->open[fd];
  return unlikely(ref->file == NULL) ? -EBADF : 0;
}

int fd_reserve(void) {
  struct files *t = myproc()->files;
  acquire(&t->lock);
  int fd = 0;
  while (fd < NOFILE && (t->used >> fd & 1)) fd++;
  if (fd < NOFILE) t->used |= 1u << fd;
  release(&t->lock);
  return fd < NOFILE ? fd : -EMFILE;
}

void fd_install(int fd, struct file *f) {
  struct files *t = myproc()->files;
  acquire(&t->lock);
  ASSERT((t->used >> fd & 1) && t->open[fd] == NULL);
  t->open[fd] = f;
  release(&t->lock);
}

void fd_cancel(int fd) {
  struct files *t = myproc()->files;
  acquire(&t->lock);
  ASSERT((t->used >> fd & 1) && t->open[fd] == NULL);
  t->used &= ~(1u << fd);
  release(&t->lock);
}

int fd_close(int fd) {
  struct files *t = myproc()->files;
  if ((uint32)fd >= NOFILE) return -EBADF;
  acquire(&t->lock);
  struct file *f = t->open[fd];
  if (f != NULL) {
    t->open[fd] = NULL;
    t->used &= ~(1u << fd);
  }
  release(&t->lock);
  if (f == NULL) return -EBADF;
  file_put(f);
  return 0;
}

// --- the current directory --------------------------------------------------

struct inode *files_directory(void) {
  struct files *t = myproc()->files;
  acquire(&t->lock);
  struct inode *dp = idup(t->directory);
  release(&t->lock);
  return dp;
}

void files_change_directory(struct inode *dp) {
  struct files *t = myproc()->files;
  acquire(&t->lock);
  struct inode *old = t->directory;
  t->directory = dp;
  release(&t->lock);
  iput(old);
}
