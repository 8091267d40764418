// The order in which the parts of the file system start.
#include "fs/mount.h"

#include "arch/devtree.h"
#include "dev/disk.h"
#include "fs/alloc.h"
#include "fs/buf.h"
#include "fs/inode.h"
#include "fs/log.h"
#include "fs/reclaim.h"
#include "fs/super.h"
#include "lib/errno.h"
#include "lib/printf.h"

// The part of RAM that caches the disk.
#define CACHE_SHARE  32

// Whether inode ROOTINO is a directory: 0 or a negative errno.
static int check_root(void) {
  struct inode *root;
  int err = iget(ROOTINO, &root);
  if (err != 0) return err;
  err = ilock(root);
  if (err == 0) {
    if (root->d->type != T_DIR) err = -ENOTDIR;
    iunlock(root);
  }
  iput(root);
  return err;
}

int fs_init(void) {
  int err = super_read();
  if (err != 0) return err;
  err = bcache_init((machine.ram_end - machine.ram_start) / CACHE_SHARE / BSIZE);
  if (err != 0) {
    printf("fs: there is no memory for the buffer cache\n");
    return err;
  }
  err = log_init();
  if (err != 0) {
    printf("fs: the log cannot be read or replayed\n");
    return err;
  }
  alloc_init();
  inode_init();
  err = check_root();
  if (err != 0) {
    printf("fs: the root directory cannot be used\n");
    return err;
  }
  return disk_read_only() ? 0 : reclaim_orphans();
}
