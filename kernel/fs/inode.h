// Inodes: the files and directories of the disk, as they are used.
//
// A struct inode is a handle on an inode of the disk, one for each that is in
// use.  Its fields are not copied: they are those in the cached block, which the
// handle pins.
//
//   N1  A reference keeps the handle; the handle's lock (INODE) protects the
//       fields and the data.  A parent directory is locked before its child, a
//       directory before a file.  On a corrupt disk two directories may each be the
//       other's child, so a thread that holds a directory waits for another one only
//       with the one lock TREE held.  Nothing is waited for with a file locked.
//   N2  A reference by number is taken only with the lock of a directory held
//       that is linked itself and lists the number (or for the root, or at
//       allocation).  So an inode without links is never found again, and its
//       last reference may free it.
//   N3  References are dropped with no inode locked and outside of log
//       operations: the last one may have to run operations of its own.
//   N4  Fields and data change only inside a log operation.
//
// How exec reads a program:
//
//   namei(path, &ip); ilock(ip); inode_read(ip, ...); iunlock(ip); iput(ip);
//
// with no operation; an error of ilock leaves the inode unlocked.
#pragma once

#include "fs/log.h"
#include "kernel/fs.h"
#include "kernel/stat.h"
#include "lib/types.h"
#include "sync/sleeplock.h"

struct buf;
struct io_buffer;

struct inode {
  struct list hash;       // [bucket]
  uint32 inum;            // [const]
  uint32 refs;            // [atomic; from 0 and to 0 under the bucket's lock]
  struct sleeplock lock;  // INODE
  struct buf *home;       // [lock] the block of d; NULL: not read yet
  struct dinode *d;       // [const once read]; the fields: [lock]
  bool freed;             // [lock] free on the disk, though still referred to
};

// Empties the table.  Once, at boot.
void inode_init(void);

// --- handles (inode.c)

// A reference to inode `inum` (N2), not locked, not read yet.  Returns 0,
// -ENFILE when too many inodes are in use, -ENOMEM, or -EIO for a number that
// the disk does not have.  Never sleeps.
int iget(uint32 inum, struct inode **out);

// One more reference; returns ip.  The caller has one.
struct inode *idup(struct inode *ip);

// Drops a reference; frees an inode that has neither links nor other references.
// May sleep (N3).
void iput(struct inode *ip);

// Locks the inode and makes its fields readable.  Returns 0; on an error it is not locked:
// -EIO, or -ENOENT for an inode that is free on the disk, or a corrupt one that was found
// without links.  May sleep.
int ilock(struct inode *ip);

// The same for what a directory that the caller has locked leads to (N1): without
// waiting, -EAGAIN while another process has it; waiting, for which the caller has taken
// the tree's lock before that of the directory; and waiting for what is no directory.
int ilock_try(struct inode *ip);
int ilock_child(struct inode *ip);
int ilock_file(struct inode *ip);
void iunlock(struct inode *ip);

// The tree's lock.  No inode locked; may sleep.
void tree_lock(void);
void tree_unlock(void);

// A new inode of `type` on the disk: locked, no links, empty.  Without a link
// its iput frees it.  Adds one block to the group.  Returns 0, -ENOSPC, -ENFILE,
// -ENOMEM or -EIO.  May sleep.
int ialloc(struct op *op, short type, struct inode **out);

// Logs the fields after a change.  Adds at most one block to the group.  Locked.
void inode_changed(struct op *op, struct inode *ip);

// Frees all blocks of a file, in as many operations as it takes.  Not locked.
// Returns 0 or a negative errno, then with a part freed.  May sleep.
int inode_truncate(struct inode *ip);

// Frees inode inum, which has no links and no name, and is not in use.  Returns 0 or a
// negative errno.  At mount; may sleep.
int inode_free_orphan(uint32 inum);

// --- contents (inode_io.c); ip locked; may sleep

// Fill the buffer from offset off of the file.  Returns how many bytes: fewer at the end of
// the file, 0 beyond it; or a negative errno if it could copy none.
int64 inode_read(struct inode *ip, const struct io_buffer *to, uint64 off);

// Copies the buffer to offset off, at most the file's size, and makes the file
// longer where needed.  Returns how many bytes: fewer when the disk is full or the file
// as large as it can be; or a negative errno if none.
// Adds at most inode_write_cost(from->len) blocks to the group.
int64 inode_write(struct op *op, struct inode *ip, const struct io_buffer *from, uint64 off);

// The most blocks that a write of n bytes (n > 0) at any offset adds to a group.
uint32 inode_write_cost(uint64 n);

// The most bytes whose cost stays within `blocks`.
uint64 inode_write_limit(uint32 blocks);
