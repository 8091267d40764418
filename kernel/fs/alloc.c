// Free blocks and inodes.  See fs/alloc.h.
//
// Lock: FSALLOC, a spinlock, for the bits of the bitmap, the type fields of free
// inodes, and the two marks.  Blocks are brought into the cache before it is
// taken.
//
//   A1  Every data block below low_block, and every inode below low_inode, is in
//       use.
#include "fs/alloc.h"

#include "fs/super.h"
#include "kernel/atomic.h"
#include "lib/assert.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "sync/spinlock.h"

static struct {
  struct spinlock lock;
  uint32 low_block;  // [lock; atomic for a first look without it]
  uint32 low_inode;  // the same
} alloc = {.lock = SPINLOCK(FSALLOC)};

void alloc_init(void) {
  alloc.low_block = data_start();
  alloc.low_inode = ROOTINO + 1;
}

// Raises a mark to `to` after everything from `from` up to there was seen in
// use; A1 has to hold for what is below `from`.
static void raise(uint32 *mark, uint32 from, uint32 to) {
  if (*mark >= from && *mark < to) atomic_store(mark, to);
}

// --- blocks -----------------------------------------------------------------

// The first clear bit of [from, end), or end.
static uint32 clear_bit(const uint8 *bits, uint32 from, uint32 end) {
  for (uint32 i = from; i < end;) {
    if (bits[i / 8] == 0xff) {
      i = (i / 8 + 1) * 8;
    } else {
      if (!(bits[i / 8] >> i % 8 & 1)) return i;
      i++;
    }
  }
  return end;
}

// Takes the first free block from `from` on that `map`, its bitmap block, tells
// of; 0 when there is none.
static uint32 claim_block(struct buf *map, uint32 from) {
  uint32 base = from / BPB * BPB;
  uint32 end = MIN(sb.size - base, (uint32)BPB);
  acquire(&alloc.lock);
  uint32 bit = clear_bit(map->data, from - base, end);
  bool found = bit < end;
  if (found) map->data[bit / 8] |= 1 << bit % 8;
  raise(&alloc.low_block, from, base + bit + found);
  release(&alloc.lock);
  return found ? base + bit : 0;
}

int block_alloc(struct op *op, uint32 *out) {
  uint64 next;  // 64 bits: past the last block of the largest disk
  for (uint64 from = atomic_load(&alloc.low_block); from < sb.size; from = next) {
    struct buf *map;
    int err = bread(BBLOCK(from, sb), &map);
    if (err != 0) return err;
    uint32 block = claim_block(map, from);
    if (block != 0) {
      log_write(op, map);
      brelse(map);
      struct buf *fresh = bread_zeroed(block);
      log_write(op, fresh);
      brelse(fresh);
      *out = block;
      return 0;
    }
    brelse(map);
    next = (from / BPB + 1) * (uint64)BPB;
  }
  return -ENOSPC;
}

int block_free(struct op *op, uint32 block) {
  ASSERT(is_data_block(block));
  struct buf *map;
  int err = bread(BBLOCK(block, sb), &map);
  if (err != 0) return err;
  uint32 bit = block % BPB;
  acquire(&alloc.lock);
  map->data[bit / 8] &= ~(1 << bit % 8);
  atomic_store(&alloc.low_block, MIN(alloc.low_block, block));
  release(&alloc.lock);
  log_write(op, map);
  brelse(map);
  return 0;
}

// --- inodes -----------------------------------------------------------------

// Takes the first free inode of [from, end), all in `home`, and clears what it was; 0
// when there is none.
static uint32 claim_inode(struct buf *home, uint32 from, uint32 end, short type) {
  acquire(&alloc.lock);
  uint32 inum = from;
  while (inum < end && dinode_in(home, inum)->type != 0) inum++;
  bool found = inum < end;
  if (found) *dinode_in(home, inum) = (struct dinode){.type = type};
  raise(&alloc.low_inode, from, inum + found);
  release(&alloc.lock);
  return found ? inum : 0;
}

int dinode_alloc(struct op *op, short type, uint32 *inum, struct buf **home) {
  uint32 next;
  for (uint32 from = atomic_load(&alloc.low_inode); from < inode_limit(); from = next) {
    struct buf *b;
    int err = bread(IBLOCK(from, sb), &b);
    if (err != 0) return err;
    next = MIN((from / IPB + 1) * IPB, (uint64)inode_limit());
    uint32 found = claim_inode(b, from, next, type);
    if (found != 0) {
      log_write(op, b);
      *inum = found;
      *home = b;
      return 0;
    }
    brelse(b);
  }
  return -ENOSPC;
}

void dinode_free(struct op *op, uint32 inum, struct buf *home) {
  acquire(&alloc.lock);
  dinode_in(home, inum)->type = 0;
  atomic_store(&alloc.low_inode, MIN(alloc.low_inode, inum));
  release(&alloc.lock);
  log_write(op, home);
}
