// Directories: files of entries of 16 bytes, each a number and a name.
#pragma once

#include "fs/inode.h"

// A name as entries hold it: padded with NULs, cut to DIRSIZ bytes.
struct name {
  char text[DIRSIZ];
};

// Whether it is "." or "..".
bool name_is_dots(const struct name *name);

// What a search met.
struct place {
  uint32 inum;  // of the entry; 0: there is none of that name
  uint32 off;   // its offset; without one, that of a slot to enter it
};

// Looks for `name` in dp.  Returns 0 and *out; -ENOTDIR; -ENOENT for a directory
// that is itself removed; -EIO.  dp locked; may sleep.
int dir_search(struct inode *dp, const struct name *name, struct place *out);

// The most blocks that dir_enter adds to a group.
uint32 dir_enter_cost(void);

// Enters a name at the free slot `off`.  Returns 0, -ENOSPC, -EFBIG or -EIO, then
// with nothing changed.  dp locked; may sleep.
int dir_enter(struct op *op, struct inode *dp, uint32 off, const struct name *name, uint32 inum);

// Frees the slot of an entry.  Adds one block to the group.  Returns 0 or -EIO.
// dp locked; may sleep.
int dir_remove(struct op *op, struct inode *dp, uint32 off);

// Enters "." and ".." in the new directory dp.  As dir_enter.
int dir_init(struct op *op, struct inode *dp, uint32 parent);

// Calls `visit` with the number of each entry but "." and "..", until one call returns
// other than 0: returns that; 0; or -EIO.  dp locked; may sleep.
int dir_each(struct inode *dp, int (*visit)(void *arg, uint32 inum), void *arg);

// Whether there is nothing in dp but "." and "..": 0 if so, -ENOTEMPTY, -EIO.
// dp locked; may sleep.
int dir_is_empty(struct inode *dp);
