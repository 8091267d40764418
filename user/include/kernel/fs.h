// The on-disk format: every field little-endian, every block BSIZE bytes.
//
//   block 0   unused
//   block 1   superblock; all further positions come from it
//   then      log, inodes, free bitmap, data
#pragma once

#include "kernel/types.h"

#define BSIZE    1024
#define ROOTINO  1
#define FSMAGIC  0x10203040

// Counts are in blocks and include headers; positions are block numbers.
struct superblock {
  uint magic, size, nblocks, ninodes, nlog;
  uint logstart, inodestart, bmapstart;
};

// A file's blocks: NDIRECT numbers in its inode, NINDIRECT more in one block.
#define NDIRECT    12
#define NINDIRECT  (BSIZE / (int)sizeof(uint))
#define MAXFILE    (NDIRECT + NINDIRECT)

struct dinode {
  short type;                 // 0: free
  short major, minor, nlink;
  uint size;                  // bytes
  uint addrs[NDIRECT + 1];    // the last: the block of further numbers
};

#define LINK_MAX  32767  // names and children of one inode: nlink is a short

// Inodes in a block, and the block of inode `inum`.
#define IPB               (BSIZE / (int)sizeof(struct dinode))
#define IBLOCK(inum, sb)  ((sb).inodestart + (inum) / IPB)

// Bits of the free map in a block, and the block that has the bit of `bno`.
#define BPB               (8 * BSIZE)
#define BBLOCK(bno, sb)   ((sb).bmapstart + (bno) / BPB)

// A directory is a file of these.  inum 0: the slot is free.  A name shorter than
// DIRSIZ is padded with NULs; one that fills the field has none.
#define DIRSIZ     14
#define MAXINODES  65536  // inodes that 16 bits can name
struct dirent {
  ushort inum;
  char name[DIRSIZ];
};
