// The log on the disk.  See fs/journal.h.
//
// A device with a cache may write in any order; a flush stands wherever one step
// must be durable before the next begins:
//
//   blocks to the log | flush | header | flush | blocks home | flush |
//   empty header | flush
//
// Blocks are written straight from the buffer cache, sorted, so that neighbours
// on the disk share a request, and all requests of a step are in flight at once.
// No locks: one process at a time commits.
#include "fs/journal.h"

#include "dev/disk.h"
#include "fs/buf.h"
#include "fs/super.h"
#include "kernel/atomic.h"
#include "lib/errno.h"
#include "lib/printf.h"

#define IN_FLIGHT  16  // requests of one step
#define HEADER_MAX  (BSIZE / sizeof(uint32) - 1)  // blocks that others' headers may list

struct header {
  uint32 count;
  uint32 block[HEADER_MAX];
};
_Static_assert(sizeof(struct header) == BSIZE, "the header fills a block");

static struct header header ALIGNED(BSIZE);
static struct disk_request requests[IN_FLIGHT];
static void *pointers[JOURNAL_MAX];

// --- steps ------------------------------------------------------------------

// Waits for the first n requests; 0 or the first error.
static int wait_all(uint32 n) {
  int err = 0;
  for (uint32 i = 0; i < n; i++) {
    int status = disk_wait(&requests[i]);
    if (err == 0) err = status;
  }
  return err;
}

// Where block i of the group goes: into the log, or home.
static uint32 log_place(const struct group *g, uint32 i) {
  (void)g;
  return sb.logstart + 1 + i;
}
static uint32 home_place(const struct group *g, uint32 i) { return g->blocks[i]->block; }

// Writes every block of the group to its place, runs of neighbours together, and
// makes them durable.
static int write_blocks(const struct group *g, uint32 (*place)(const struct group *, uint32)) {
  int err = 0;
  uint32 n = 0;
  for (uint32 i = 0; i < g->count && err == 0;) {
    uint32 first = place(g, i);
    uint32 run = 0;
    while (i + run < g->count && run < disk_run_max() && place(g, i + run) == first + run) {
      pointers[i + run] = g->blocks[i + run]->data;
      run++;
    }
    requests[n] = (struct disk_request){
        .op = DISK_WRITE, .block = first, .count = run, .data = &pointers[i]};
    disk_submit(&requests[n++]);
    i += run;
    if (n == IN_FLIGHT) {
      err = wait_all(n);
      n = 0;
    }
  }
  int last = wait_all(n);
  if (err == 0) err = last;
  return err == 0 ? disk_flush() : err;
}

// Writes a header that lists the first `count` blocks of the group.
static int write_header(const struct group *g, uint32 count) {
  header.count = count;
  for (uint32 i = 0; i < count; i++) header.block[i] = g->blocks[i]->block;
  int err = disk_write(sb.logstart, &header);
  return err == 0 ? disk_flush() : err;
}

// By block number; groups are small and come nearly sorted.
static void sort(struct group *g) {
  for (uint32 i = 1; i < g->count; i++) {
    struct buf *b = g->blocks[i];
    uint32 at = i;
    for (; at > 0 && g->blocks[at - 1]->block > b->block; at--) g->blocks[at] = g->blocks[at - 1];
    g->blocks[at] = b;
  }
}

// --- commit -----------------------------------------------------------------

// Up to the point from which a crash cannot undo the group.
static int make_durable(struct group *g) {
  int err = 0;
  if (g->stage == JOURNAL_DOUBTFUL) {
    // The header may list the group as it was: it must not, while the blocks
    // behind it change.
    err = write_header(g, 0);
    if (err != 0) return err;
    g->stage = JOURNAL_CLEAN;
  }
  sort(g);
  err = write_blocks(g, log_place);
  if (err != 0) return err;
  g->stage = JOURNAL_DOUBTFUL;
  err = write_header(g, g->count);
  if (err == 0) g->stage = JOURNAL_COMMITTED;
  return err;
}

// Brings the blocks home, then takes back the header.
static int install(struct group *g) {
  int err = write_blocks(g, home_place);
  if (err == 0) err = write_header(g, 0);
  if (err != 0) return err;
  g->stage = JOURNAL_CLEAN;
  for (uint32 i = 0; i < g->count; i++) {
    atomic_store(&g->blocks[i]->logged, false);
    brelse(g->blocks[i]);
  }
  g->count = 0;
  return 0;
}

int journal_commit(struct group *g, bool *durable) {
  int err = 0;
  if (g->stage != JOURNAL_COMMITTED) err = make_durable(g);
  *durable = g->stage == JOURNAL_COMMITTED;
  return err == 0 ? install(g) : err;
}

// --- recovery ---------------------------------------------------------------

// Whether a block may be part of a group: anything behind the log.
static bool can_be_logged(uint32 block) { return block >= sb.inodestart && block < sb.size; }

static bool header_makes_sense(void) {
  if (header.count > MIN(sb.nlog - 1, HEADER_MAX)) return false;
  for (uint32 i = 0; i < header.count; i++)
    if (!can_be_logged(header.block[i])) return false;
  return true;
}

// Copies block i of the log home, through the cache's buffer of that block.
static int replay(uint32 i) {
  printf("recovering tail %u to block %u\n", i, header.block[i]);
  struct buf *b = bread_zeroed(header.block[i]);
  int err = disk_read(sb.logstart + 1 + i, b->data);
  if (err == 0) err = disk_write(b->block, b->data);
  brelse(b);
  return err;
}

int journal_recover(void) {
  int err = disk_read(sb.logstart, &header);
  if (err != 0) return err;
  if (header.count == 0) return 0;
  if (!header_makes_sense()) {
    printf("fs: bad log header (count %u); nothing is mounted\n", header.count);
    return -EINVAL;
  }
  if (disk_read_only()) {
    printf("fs: the log holds changes, and the disk is read-only\n");
    return -EACCES;
  }
  for (uint32 i = 0; i < header.count && err == 0; i++) err = replay(i);
  if (err == 0) err = disk_flush();
  if (err != 0) return err;
  header.count = 0;
  err = disk_write(sb.logstart, &header);
  return err == 0 ? disk_flush() : err;
}
