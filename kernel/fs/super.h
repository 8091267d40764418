// The superblock of the mounted disk, and what can be said from it alone.
#pragma once

#include "kernel/fs.h"
#include "lib/types.h"

extern struct superblock sb;  // [const after mount]

// Reads the superblock and checks that its regions follow each other inside the
// disk: log, inodes, bitmap, data.  Returns 0, -EINVAL with a message, or -EIO.
// May sleep.
int super_read(void);

// Blocks of files and directories: the first one, and whether b is one.  Block
// numbers found on the disk are checked with this before use.  (What is too large wraps.)
static inline uint32 data_start(void) { return sb.size - sb.nblocks; }
static inline bool is_data_block(uint32 b) { return sb.size - 1 - b < sb.nblocks; }

// Blocks that the bitmap takes.
static inline uint32 bitmap_blocks(void) { return ((uint64)sb.size + BPB - 1) / BPB; }

// Inodes that a directory can name; what lies beyond is not used.
static inline uint32 inode_limit(void) { return MIN(sb.ninodes, (uint32)MAXINODES); }
