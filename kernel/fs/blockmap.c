// The block map of an inode.  See fs/blockmap.h.  No locks of its own.
#include "fs/blockmap.h"

#include "fs/alloc.h"
#include "fs/buf.h"
#include "fs/super.h"
#include "kernel/atomic.h"
#include "lib/assert.h"
#include "lib/errno.h"
#include "lib/string.h"

static uint32 *entries(struct buf *indirect) { return (uint32 *)indirect->data; }

// --- finding ----------------------------------------------------------------

// The number on the disk for block bn of the file, 0 for none.
static int lookup(struct inode *ip, uint32 bn, uint32 *out) {
  if (bn < NDIRECT) {
    *out = ip->d->addrs[bn];
    return 0;
  }
  uint32 indirect = ip->d->addrs[NDIRECT];
  *out = 0;
  if (indirect == 0) return 0;
  if (!is_data_block(indirect)) return -EIO;
  struct buf *b;
  int err = bread(indirect, &b);
  if (err != 0) return err;
  *out = atomic_load(&entries(b)[bn - NDIRECT]);
  brelse(b);
  return 0;
}

int blockmap_find_indirect(struct inode *ip, uint32 bn, uint32 *out) {
  ASSERT(bn < MAXFILE);
  int err = lookup(ip, bn, out);
  return err == 0 && !is_data_block(*out) ? -EIO : err;
}

// --- growing ----------------------------------------------------------------

static int add_indirect(struct op *op, struct inode *ip) {
  uint32 block;
  int err = block_alloc(op, &block);
  if (err != 0) return err;
  ip->d->addrs[NDIRECT] = block;
  inode_changed(op, ip);
  return 0;
}

// Enters `block` (0: none) for block bn; the indirect block exists.
static int enter(struct op *op, struct inode *ip, uint32 bn, uint32 block) {
  if (bn < NDIRECT) {
    ip->d->addrs[bn] = block;
    inode_changed(op, ip);
    return 0;
  }
  struct buf *b;
  int err = bread(ip->d->addrs[NDIRECT], &b);
  if (err != 0) return err;
  entries(b)[bn - NDIRECT] = block;
  log_write(op, b);
  brelse(b);
  return 0;
}

int blockmap_extend(struct op *op, struct inode *ip, uint32 bn, uint32 *out, uint32 *added) {
  ASSERT(bn < MAXFILE);
  *added = ADDED_NOTHING;
  int err = lookup(ip, bn, out);
  if (err != 0) return err;
  if (likely(*out != 0)) return is_data_block(*out) ? 0 : -EIO;
  if (bn >= NDIRECT && ip->d->addrs[NDIRECT] == 0) {
    err = add_indirect(op, ip);
    if (err != 0) return err;
    *added = ADDED_INDIRECT;
  }
  err = block_alloc(op, out);
  if (err == 0) {
    err = enter(op, ip, bn, *out);
    if (err == 0) {
      *added |= ADDED_BLOCK;
      return 0;
    }
    block_free(op, *out);
  }
  blockmap_retract(op, ip, bn, *added);
  return err;
}

// A step that meets a disk error leaves its block allocated to the file: that
// costs space, until the file is freed, and no consistency.
void blockmap_retract(struct op *op, struct inode *ip, uint32 bn, uint32 added) {
  uint32 block;
  if ((added & ADDED_BLOCK) && blockmap_find(ip, bn, &block) == 0 && enter(op, ip, bn, 0) == 0)
    block_free(op, block);
  if ((added & ADDED_INDIRECT) && block_free(op, ip->d->addrs[NDIRECT]) == 0) {
    ip->d->addrs[NDIRECT] = 0;
    inode_changed(op, ip);
  }
}

// --- shrinking --------------------------------------------------------------

// Room that must be left to free one more block: its bitmap, and at the end of
// the operation the indirect block and the inode.
#define SHRINK_ROOM  3

// Frees the block in *entry, if there is one: 0, 1 for no room, or an errno.  A
// number that makes no sense is only forgotten.  It is read once: on a corrupt disk the
// block that it stands in may belong to another file, too, which is being written.
static int free_entry(struct op *op, uint32 *entry) {
  uint32 block = atomic_load(entry);
  if (block == 0) return 0;
  if (op->room < SHRINK_ROOM) return 1;
  int err = is_data_block(block) ? block_free(op, block) : 0;
  if (err == 0) *entry = 0;
  return err;
}

// Frees entries[0..n) from the end; *left is how many from the start remain.
static int free_entries(struct op *op, uint32 *list, uint32 n, uint32 *left) {
  int more = 0;
  while (n > 0 && (more = free_entry(op, &list[n - 1])) == 0) n--;
  *left = n;
  return more;
}

// The same for the indirect block, itself included.
static int free_indirect(struct op *op, struct inode *ip, uint32 *left) {
  *left = 0;
  uint32 *indirect = &ip->d->addrs[NDIRECT];
  if (*indirect == 0) return 0;
  if (!is_data_block(*indirect)) {
    *indirect = 0;
    return 0;
  }
  struct buf *b;
  int more = bread(*indirect, &b);
  if (more != 0) {
    *left = NINDIRECT;
    return more;
  }
  more = free_entries(op, entries(b), NINDIRECT, left);
  if (more == 0) more = free_entry(op, indirect);
  // A block that is free now need not be written.
  if (more != 0) log_write(op, b);
  brelse(b);
  return more;
}

int blockmap_shrink(struct op *op, struct inode *ip) {
  struct dinode before = *ip->d;
  uint32 left;
  int more = free_indirect(op, ip, &left);
  if (more == 0)
    more = free_entries(op, ip->d->addrs, NDIRECT, &left);
  else
    left += NDIRECT;
  ip->d->size = MIN(ip->d->size, left * BSIZE);
  if (memcmp(&before, ip->d, sizeof before) != 0) inode_changed(op, ip);
  return more;
}
