// The write-ahead log: changes to the disk happen in groups, each whole or not
// at all.
//
// A file-system call that changes the disk is one or more operations:
//
//   struct op op;
//   int err = begin_op(&op, most_blocks);
//   if (err != 0) return err;
//   ... change cached blocks, log_write each ...
//   err = end_op(&op);
//
//   L1  No lock of an inode is held at begin_op or end_op: they may wait for
//       operations that need it.  References to inodes are dropped outside too.
//   L2  An operation adds at most as many blocks to the group as it reserved,
//       and the reservations of all fit the log.
//   L3  A group commits when no operation is under way, so its blocks, which are
//       written from the cache itself, do not change meanwhile.
//   L4  A changed block stays in the cache until it is at home on the disk.
//
// end_op returns when the group is on the disk.  A disk error during a commit is
// the result of every operation in the group; their changes stay in the cache,
// and the next commit tries to write them along with its own.
#pragma once

#include "lib/list.h"
#include "lib/types.h"
#include "sync/waitq.h"

struct buf;

struct op {
  uint32 room;       // [own] blocks that it may still add
  bool wrote;        // [own]
  bool done;         // [LOG] its group has committed, or failed to
  int result;        // [LOG] then: 0 or a negative errno
  struct list link;  // [LOG] among those not yet admitted, then those that wait for the group
  struct waitq turn; // [LOG] its thread, until it is admitted
};

// Reads the log of the disk that `sb` describes and finishes a group that had
// been committed.  Returns 0, -EINVAL with a message when the log makes no
// sense, -EIO.  Needs the buffer cache.  May sleep; once, at mount.
int log_init(void);

// Blocks that one group holds: no operation may reserve more.
uint32 log_capacity(void);

// Waits until `blocks` blocks fit the group.  Returns 0; -EIO while the disk
// refuses an earlier group; -EACCES for a read-only disk.  May sleep (L1).
int begin_op(struct op *op, uint32 blocks);

// Puts a changed block into the group; a block that is in it already is not
// counted again.  The caller has a reference, and may drop it.
void log_write(struct op *op, struct buf *b);

// Returns once the changes of all calls that have returned are on the disk: those that a
// failed commit has left in memory are written now; the others are there already, or wait
// in the group that this call ends.  Returns 0, or -EIO: the changes stay in memory.  May
// sleep (L1).
int log_sync(void);

// Ends the operation and, when it wrote, waits for the commit.  Returns 0 or
// -EIO.  May sleep (L1).
int end_op(struct op *op);
