// Which blocks and inodes of the disk are free.
//
// All of it is on the disk: the bitmap, and the type field of each inode.  What
// is kept here is below which number nothing is free, so that no search begins
// at the start of a full disk.
#pragma once

#include "fs/buf.h"
#include "fs/log.h"
#include "kernel/fs.h"

// Forgets what was known of an earlier disk.  At mount.
void alloc_init(void);

// Takes a free block, fills it with zeros and logs it.  Adds at most two blocks
// to the group.  Returns 0 and its number, -ENOSPC or -EIO.  May sleep.
int block_alloc(struct op *op, uint32 *out);

// Gives a data block back.  Adds at most one block to the group.  Returns 0, or
// -EIO with nothing changed.  May sleep.
int block_free(struct op *op, uint32 block);

// Takes a free inode on the disk and makes it one of `type`, all else of it 0.  Adds one
// block to the group.  Returns 0, its number and the block it is in, with a reference;
// -ENOSPC or -EIO.  May sleep.
int dinode_alloc(struct op *op, short type, uint32 *inum, struct buf **home);

// Marks inode `inum` in `home` as free.  Adds one block to the group.
void dinode_free(struct op *op, uint32 inum, struct buf *home);

// Inode `inum` in the block that holds it.
static inline struct dinode *dinode_in(struct buf *home, uint32 inum) {
  return (struct dinode *)home->data + inum % IPB;
}
