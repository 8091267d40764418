// Which block of the disk holds which block of a file: twelve numbers in the
// inode, and 256 in an indirect block.
#pragma once

#include "fs/inode.h"
#include "fs/super.h"
#include "lib/errno.h"

// What blockmap_extend had to add.
enum { ADDED_NOTHING, ADDED_BLOCK = 1, ADDED_INDIRECT = 2 };

// The disk block of block `bn` of the file.  Returns 0 and its number, or -EIO
// where there is none that makes sense.  ip locked; may sleep.
int blockmap_find_indirect(struct inode *ip, uint32 bn, uint32 *out);
static inline int blockmap_find(struct inode *ip, uint32 bn, uint32 *out) {
  if (unlikely(bn >= NDIRECT)) return blockmap_find_indirect(ip, bn, out);
  *out = ip->d->addrs[bn];
  return likely(is_data_block(*out)) ? 0 : -EIO;
}

// The same, allocating what is missing; *added says what was.  On an error
// nothing is left allocated.  Returns 0, -ENOSPC or -EIO.  ip locked; may sleep.
int blockmap_extend(struct op *op, struct inode *ip, uint32 bn, uint32 *out, uint32 *added);

// Takes back what blockmap_extend added for bn.  ip locked; may sleep.
void blockmap_retract(struct op *op, struct inode *ip, uint32 bn, uint32 added);

// Frees blocks from the end of the file as far as the operation has room.
// Returns 0 when none is left, 1 when another operation must go on, or a
// negative errno.  The file's size stays true.  ip locked; may sleep.
int blockmap_shrink(struct op *op, struct inode *ip);
