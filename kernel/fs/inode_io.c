// The contents of files: copying between blocks of the cache and memory that cannot
// fault.  See fs/inode.h.  No locks of its own.
#include "fs/blockmap.h"
#include "fs/buf.h"
#include "fs/inode.h"
#include "fs/super.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/usercopy.h"

// --- reading ----------------------------------------------------------------

// The block that holds offset off, with a reference.
static ALWAYS_INLINE int block_for_read(struct inode *ip, uint64 off, struct buf **out) {
  uint32 block;
  int err = blockmap_find(ip, off / BSIZE, &block);
  return err == 0 ? bread(block, out) : err;
}

// How many of n bytes from off on the file has.
static uint64 readable(const struct inode *ip, uint64 off, uint64 n) {
  return off >= ip->d->size ? 0 : MIN(n, ip->d->size - off);
}

// How many of n bytes from off on are in the same block.
static uint64 in_block(uint64 off, uint64 n) { return MIN(n, BSIZE - off % BSIZE); }

int64 inode_read(struct inode *ip, const struct io_buffer *to, uint64 off) {
  uint64 n = readable(ip, off, to->len);
  for (uint64 done = 0; done < n;) {
    struct buf *b;
    int err = block_for_read(ip, off + done, &b);
    if (err != 0) return done > 0 ? (int64)done : err;
    uint64 end = done + in_block(off + done, n - done);
    const uint8 *from = b->data + (off + done) % BSIZE;
    for (uint64 piece; done < end; done += piece, from += piece) {
      piece = end - done;
      char *at = io_buffer_at(to, done, &piece);
      memcpy(at, from, piece);
    }
    brelse(b);
  }
  return n;
}

// --- writing ----------------------------------------------------------------

// The block that offset off is written to, with a reference and logged.
static int block_for_write(struct op *op, struct inode *ip, uint64 off, struct buf **out) {
  uint32 block, added;
  int err = blockmap_extend(op, ip, off / BSIZE, &block, &added);
  if (err != 0) return err;
  err = bread(block, out);
  if (err == 0)
    log_write(op, *out);
  else
    blockmap_retract(op, ip, off / BSIZE, added);
  return err;
}

// Why nothing may be written at off; otherwise cuts *n to what the file can hold.
static int writable(const struct inode *ip, uint64 off, uint64 *n) {
  if (off > ip->d->size) return -EINVAL;  // there are no holes
  *n = MIN(*n, MAXFILE * BSIZE - off);
  return *n == 0 ? -EFBIG : 0;
}

// The result of a write that got from `off` to `end`, and then met err.
static int64 written(struct op *op, struct inode *ip, uint64 off, uint64 end, int err) {
  if (end > ip->d->size) {
    ip->d->size = end;
    inode_changed(op, ip);
  }
  return end > off ? (int64)(end - off) : err;
}

int64 inode_write(struct op *op, struct inode *ip, const struct io_buffer *from, uint64 off) {
  uint64 n = from->len;
  int err = writable(ip, off, &n);
  if (err != 0) return err;
  uint64 done = 0;
  while (done < n) {
    struct buf *b;
    err = block_for_write(op, ip, off + done, &b);
    if (err != 0) break;
    uint64 end = done + in_block(off + done, n - done);
    uint8 *to = b->data + (off + done) % BSIZE;
    for (uint64 piece; done < end; done += piece, to += piece) {
      piece = end - done;
      const char *at = io_buffer_at(from, done, &piece);
      memcpy(to, at, piece);
    }
    brelse(b);
  }
  return written(op, ip, off, off + done, err);
}

// --- cost -------------------------------------------------------------------

// Blocks of a group that writing to `blocks` blocks of a file can take: they
// themselves, the indirect block, the inode, and for each block that may have to
// be allocated one of the bitmap.
static uint32 cost(uint32 blocks) { return blocks + 2 + MIN(blocks + 1, bitmap_blocks()); }

uint32 inode_write_cost(uint64 n) { return cost((n + BSIZE - 2) / BSIZE + 1); }

uint64 inode_write_limit(uint32 blocks) {
  uint32 span = 1;
  while (cost(span + 1) <= blocks) span++;
  return span == 1 ? 1 : (uint64)(span - 1) * BSIZE;
}
