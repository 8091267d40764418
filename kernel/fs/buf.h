// The buffer cache: the only way to a block of the disk, except the log's own.
//
//   B1  There is at most one buffer for a block.
//   B2  A buffer with references keeps its block.  References rise from 0 only
//       under the lock of its hash bucket.
//   B3  There is no lock on the bytes.  They belong to whoever owns what they
//       say: file data, directories and used inodes to the inode's lock, the
//       bitmap and free inodes to the allocator's.
//   B4  The bytes of a block change only inside a log operation (fs/log.h), so
//       while a group commits nothing changes.
#pragma once

#include "kernel/param.h"
#include "lib/types.h"

struct buf {
  struct buf *next;  // [bucket] others of the same bucket
  uint8 *data;       // [const] BSIZE bytes, direct map
  uint32 block;      // [bucket]
  uint32 refs;       // [atomic] B2
  uint8 state;       // [bucket] see buf.c
  bool hashed;       // [bucket] in a bucket's chain
  bool recent;       // [atomic] used since the clock hand passed
  bool logged;       // [LOG] in the group being formed; a reference belongs to it
};

// The fewest buffers that can serve: every inode in use pins one, a group of the
// log pins up to its size, and each operation holds a few.
#define BCACHE_MIN  (2u * NINODE)
#define BCACHE_MAX  16384u

// Takes memory for nbuf buffers, kept within the bounds above.  Returns 0 or
// -ENOMEM.  Once, at mount.
int bcache_init(uint32 nbuf);

// Buffers in the cache.
uint32 bcache_size(void);

// A buffer with the contents of `block`, with a reference for the caller.
// Returns 0 or -EIO.  May sleep; no spinlock held.
int bread(uint32 block, struct buf **out);

// The same for a block that has just been allocated: filled with zeros, the disk
// is not read.
struct buf *bread_zeroed(uint32 block);

// One more reference to a buffer that the caller has one to.
void bhold(struct buf *b);

// Drops a reference.
void brelse(struct buf *b);
