// The superblock: read once, checked, never written.
#include "fs/super.h"

#include "dev/disk.h"
#include "kernel/param.h"
#include "lib/errno.h"
#include "lib/printf.h"
#include "lib/string.h"

#define SUPER_BLOCK  1

struct superblock sb;

static uint8 block[BSIZE] ALIGNED(BSIZE);

// Why the superblock cannot be true, or NULL.
static const char *doubt(const struct superblock *s) {
  if (s->magic != FSMAGIC) return "there is no file system of this kind on it";
  if (s->size > disk_blocks()) return "the file system is larger than the disk";
  if (s->nblocks == 0 || s->nblocks >= s->size) return "the number of data blocks";
  if (s->ninodes <= ROOTINO || s->ninodes > s->size * (uint64)IPB) return "the number of inodes";
  // 64 bits: none of these sums wraps.
  uint64 data = s->size - s->nblocks;
  uint64 inode_blocks = ((uint64)s->ninodes + IPB - 1) / IPB;
  if (s->logstart <= SUPER_BLOCK) return "the position of the log";
  if ((uint64)s->logstart + s->nlog > s->inodestart) return "the size of the log";
  if (s->inodestart + inode_blocks > s->bmapstart) return "the position of the inodes";
  if (s->bmapstart + ((uint64)s->size + BPB - 1) / BPB > data) return "the position of the bitmap";
  if (s->nlog < MAXOPBLOCKS + 1) return "the log is too small";
  return NULL;
}

int super_read(void) {
  int err = disk_read(SUPER_BLOCK, block);
  if (err != 0) {
    printf("fs: the superblock cannot be read\n");
    return err;
  }
  struct superblock found;
  memcpy(&found, block, sizeof found);
  const char *why = doubt(&found);
  if (why != NULL) {
    printf("fs: bad superblock: %s (magic %x, size %u, disk %u)\n", why, found.magic, found.size,
           disk_blocks());
    return -EINVAL;
  }
  sb = found;
  return 0;
}
