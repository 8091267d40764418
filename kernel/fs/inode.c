// Handles on inodes: the table of those in use, their locks, birth and death.
// See fs/inode.h.  Locks: ITABLE, one for each bucket; TREE; INODE.
#include "fs/inode.h"

#include "fs/alloc.h"
#include "fs/blockmap.h"
#include "fs/buf.h"
#include "fs/super.h"
#include "kernel/atomic.h"
#include "kernel/param.h"
#include "lib/assert.h"
#include "lib/errno.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "sync/lockdebug.h"

#define BUCKETS  64

struct bucket {
  struct spinlock lock;  // ITABLE
  struct list inodes;    // [lock]
};

static struct bucket buckets[BUCKETS];
static struct {
  uint32 count;  // [atomic] at most NINODE
} OWN_LINE in_use;  // handles
static struct sleeplock tree;  // TREE
static struct slab_cache handles = SLAB_CACHE(handles, struct inode);

static struct bucket *bucket_of(uint32 inum) { return &buckets[inum % BUCKETS]; }

void inode_init(void) {
  initsleeplock(&tree, LOCK_TREE);
  for (uint32 i = 0; i < BUCKETS; i++) {
    initlock(&buckets[i].lock, LOCK_ITABLE);
    list_init(&buckets[i].inodes);
  }
}

// --- references -------------------------------------------------------------

// A fresh handle with one reference, or why there is none.  Bucket locked.
static int make_handle(struct bucket *k, uint32 inum, struct inode **out) {
  if (atomic_add(&in_use.count, 1) >= NINODE) {
    atomic_add(&in_use.count, -1);
    return -ENFILE;
  }
  struct inode *ip = slab_alloc(&handles);
  if (ip == NULL) {
    atomic_add(&in_use.count, -1);
    return -ENOMEM;
  }
  ip->inum = inum;
  ip->refs = 1;
  ip->home = NULL;
  ip->d = NULL;
  ip->freed = false;
  initsleeplock(&ip->lock, LOCK_INODE);
  list_push_front(&k->inodes, &ip->hash);
  *out = ip;
  return 0;
}

int iget(uint32 inum, struct inode **out) {
  if (inum < ROOTINO || inum >= inode_limit()) return -EIO;
  struct bucket *k = bucket_of(inum);
  acquire(&k->lock);
  list_for_each(n, &k->inodes) {
    struct inode *ip = list_entry(n, struct inode, hash);
    if (ip->inum != inum) continue;
    atomic_add(&ip->refs, 1);
    release(&k->lock);
    *out = ip;
    return 0;
  }
  int err = make_handle(k, inum, out);
  release(&k->lock);
  return err;
}

struct inode *idup(struct inode *ip) {
  uint32 before = atomic_add(&ip->refs, 1);
  ASSERT(before > 0);
  return ip;
}

// Whether the caller's reference is the last to an inode without links.  Then
// nobody can gain one (N2), so reading the fields without the lock is safe.  Not
// so the type on the disk: the allocator may be giving the number out anew.
// Bucket locked.
static bool is_orphan(const struct inode *ip) {
  return atomic_load_acquire(&ip->refs) == 1 && ip->home != NULL && !ip->freed && ip->d->nlink < 1;
}

// Frees an orphan's blocks and the inode itself.  Returns 0 or a negative errno;
// then the next mount reclaims it.
static int destroy(struct inode *ip) {
  int more;
  do {
    struct op op;
    int err = begin_op(&op, MAXOPBLOCKS);
    if (err != 0) return err;
    more = ilock(ip);
    if (more == 0) {
      more = blockmap_shrink(&op, ip);
      if (more == 0) {
        ip->freed = true;
        dinode_free(&op, ip->inum, ip->home);
      }
      iunlock(ip);
    }
    err = end_op(&op);
    if (err != 0) return err;
  } while (more > 0);
  return more;
}

// Drops a reference that is not the last one.  Returns whether it was so.
static bool drop_one_of_many(struct inode *ip) {
  uint32 refs = atomic_load(&ip->refs);
  while (refs > 1)
    if (atomic_cas_release(&ip->refs, &refs, refs - 1)) return true;
  return false;
}

void iput(struct inode *ip) {
  if (drop_one_of_many(ip)) return;
  struct bucket *k = bucket_of(ip->inum);
  int err = 0;
  acquire(&k->lock);
  // Again after destroy: the number may have been given out anew, to someone
  // who dropped it while we still held our reference.
  while (unlikely(err == 0 && is_orphan(ip))) {
    release(&k->lock);
    err = destroy(ip);
    acquire(&k->lock);
  }
  uint32 before = atomic_add_acq_rel(&ip->refs, -1);
  ASSERT(before > 0);
  bool last = before == 1;
  if (last) list_remove(&ip->hash);
  release(&k->lock);
  if (!last) return;
  if (ip->home != NULL) brelse(ip->home);
  slab_free(&handles, ip);
  atomic_add(&in_use.count, -1);
}

// --- locking ----------------------------------------------------------------

// Reads the inode's block.  Locked.  Returns 0 or -EIO.
static int load(struct inode *ip) {
  struct buf *home;
  int err = bread(IBLOCK(ip->inum, sb), &home);
  if (err != 0) return err;
  const struct dinode *d = dinode_in(home, ip->inum);
  if (d->type < 0 || d->type > T_DEVICE || d->size > MAXFILE * BSIZE) {
    printf("fs: inode %u is corrupt (type %d, size %u)\n", ip->inum, d->type, d->size);
    brelse(home);
    return -EIO;
  }
  ip->d = dinode_in(home, ip->inum);
  ip->freed = d->type == 0;
  ip->home = home;
  return 0;
}

// The same for one that a directory names.  What has no links is not made readable, so that
// no iput takes it for an orphan and frees what still has a name.
static int load_named(struct inode *ip) {
  int err = load(ip);
  if (err != 0 || ip->freed || ip->d->nlink >= 1) return err;
  printf("fs: inode %u is corrupt (a name, and %d links)\n", ip->inum, ip->d->nlink);
  brelse(ip->home);
  ip->home = NULL;
  ip->d = NULL;
  return -ENOENT;
}

// Locked.  After an error it is not.
static inline int make_readable(struct inode *ip) {
  int err = likely(ip->home != NULL) ? 0 : load_named(ip);
  if (err == 0 && ip->freed) err = -ENOENT;
  if (unlikely(err != 0)) releasesleep(&ip->lock);
  return err;
}

int ilock(struct inode *ip) {
  acquiresleep(&ip->lock);
  return make_readable(ip);
}

int ilock_try(struct inode *ip) {
  return likely(tryacquiresleep(&ip->lock)) ? make_readable(ip) : -EAGAIN;
}

int ilock_child(struct inode *ip) {
  lockdebug_needs(LOCK_TREE);
  acquiresleep_nested(&ip->lock);
  return make_readable(ip);
}

int ilock_file(struct inode *ip) {
  acquiresleep_nested(&ip->lock);
  int err = make_readable(ip);
  DEBUG_ASSERT(err != 0 || ip->d->type != T_DIR);
  return err;
}

void tree_lock(void) { acquiresleep(&tree); }
void tree_unlock(void) { releasesleep(&tree); }

void iunlock(struct inode *ip) { releasesleep(&ip->lock); }

// --- birth and death --------------------------------------------------------

int ialloc(struct op *op, short type, struct inode **out) {
  uint32 inum;
  struct buf *home;
  int err = dinode_alloc(op, type, &inum, &home);
  if (err != 0) return err;
  struct inode *ip;
  err = iget(inum, &ip);
  if (err != 0) {
    dinode_free(op, inum, home);
    brelse(home);
    return err;
  }
  // The handle may be left from the inode's last life, and still be locked by
  // the process that ended it.
  acquiresleep_nested(&ip->lock);
  if (ip->home != NULL) brelse(ip->home);
  ip->home = home;
  ip->d = dinode_in(home, inum);
  ip->freed = false;
  *out = ip;
  return 0;
}

void inode_changed(struct op *op, struct inode *ip) { log_write(op, ip->home); }

int inode_truncate(struct inode *ip) {
  int more;
  do {
    struct op op;
    int err = begin_op(&op, MAXOPBLOCKS);
    if (err != 0) return err;
    more = ilock(ip);
    if (more == 0) {
      more = blockmap_shrink(&op, ip);
      iunlock(ip);
    }
    err = end_op(&op);
    if (err != 0) return err;
  } while (more > 0);
  return more;
}

int inode_free_orphan(uint32 inum) {
  struct inode *ip;
  int err = iget(inum, &ip);
  if (err != 0) return err;
  acquiresleep(&ip->lock);
  if (ip->home == NULL) err = load(ip);  // iput looks at what has been read
  releasesleep(&ip->lock);
  iput(ip);
  return err;
}
