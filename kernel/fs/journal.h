// The log on the disk: how a group of blocks is written so that a crash leaves
// all of it or nothing.  Admission and grouping are fs/log.c's.
//
// The log's first block is its header: how many blocks follow, and where each
// belongs.  A group is committed from the moment that a header with a count
// other than 0 is on the disk.
//
//   J1  A disk writes one sector of 512 bytes as a whole, and no more than that.  So
//       the count and all that it counts stand in the header's first sector: a header
//       whose writing was cut off lists the old group or the new one, never a part.
#pragma once

#include "kernel/fs.h"
#include "lib/types.h"

struct buf;

// What is known of the header on the disk.
enum journal_stage {
  JOURNAL_CLEAN,      // its count is 0
  JOURNAL_DOUBTFUL,   // writing it failed: it may hold either count
  JOURNAL_COMMITTED,  // it lists this group, which is not yet at home
};

// The most blocks of a group (J1).
#define SECTOR_SIZE  512
#define JOURNAL_MAX  (SECTOR_SIZE / sizeof(uint32) - 1)

struct group {
  enum journal_stage stage;
  uint32 count;
  struct buf *blocks[JOURNAL_MAX];  // each with a reference, and marked `logged`
};

// Whether nothing may join the group before it is written.
static inline bool journal_is_stuck(const struct group *g) {
  return g->stage == JOURNAL_COMMITTED;
}

// Writes the group to the log, then home, and empties it.  On an error the group
// keeps its blocks and a later call goes on from where this one stopped.
// *durable: a crash can no longer undo the group.  Returns 0 or -EIO.  One call
// at a time; nobody changes a block meanwhile.  May sleep.
int journal_commit(struct group *g, bool *durable);

// Finishes the group that the header on the disk lists, if any: also a longer one than
// this kernel writes.  Prints a line for each block that it brings home.  Returns 0,
// -EINVAL with a message when the header makes no sense, -EIO, or -EACCES with
// a message when the disk is read-only and would have to be repaired.
// May sleep.
int journal_recover(void);
