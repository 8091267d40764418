// Reclaiming inodes at mount.  See fs/reclaim.h.
//
// The inodes are read in runs of blocks, past the buffer cache, which does not have to
// hold all of them and has nothing newer: 65,536 inodes are 128 requests.  On a corrupt
// disk an inode without links may still have a name; so, when there is any without links,
// each directory is read, and those named are let be.  No locks: one process runs.
#include "fs/reclaim.h"

#include "dev/disk.h"
#include "fs/dir.h"
#include "fs/inode.h"
#include "fs/super.h"
#include "lib/errno.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/kalloc.h"

#define RUN_FRAMES  (DISK_RUN_MAX * BSIZE / PGSIZE)
#define SET_FRAMES  (MAXINODES / 8 / PGSIZE)

// Memory for the scan: a run of blocks, and a set of inode numbers.
struct scan {
  void *run[DISK_RUN_MAX];
  uint8 *set[SET_FRAMES];
};

static uint8 *frame_of(struct scan *s, uint32 inum) { return s->set[inum / (8 * PGSIZE)]; }
static uint32 byte_of(uint32 inum) { return inum / 8 % PGSIZE; }

static bool has(struct scan *s, uint32 inum) {
  return frame_of(s, inum)[byte_of(inum)] >> inum % 8 & 1;
}

static void put(struct scan *s, uint32 inum) {
  frame_of(s, inum)[byte_of(inum)] |= 1 << inum % 8;
}

static int take_out(void *scan, uint32 inum) {
  frame_of(scan, inum)[byte_of(inum)] &= ~(1 << inum % 8);
  return 0;
}

// --- memory -----------------------------------------------------------------

static void scan_free(struct scan *s) {
  for (uint32 i = 0; i < DISK_RUN_MAX; i += PGSIZE / BSIZE)
    if (s->run[i] != NULL) kfree(s->run[i]);
  for (uint32 i = 0; i < SET_FRAMES; i++)
    if (s->set[i] != NULL) kfree(s->set[i]);
}

static int scan_alloc(struct scan *s) {
  memset(s, 0, sizeof *s);
  for (uint32 i = 0; i < SET_FRAMES; i++)
    if ((s->set[i] = kalloc_zeroed(FRAME_OTHER)) == NULL) return -ENOMEM;
  for (uint32 i = 0; i < DISK_RUN_MAX; i++) {
    uint32 in_frame = i % (PGSIZE / BSIZE);
    s->run[i] = in_frame == 0 ? kalloc(FRAME_OTHER) : (uint8 *)s->run[i - 1] + BSIZE;
    if (s->run[i] == NULL) return -ENOMEM;
  }
  return 0;
}

// --- the scan ---------------------------------------------------------------

typedef int visitor(struct scan *s, uint32 inum, const struct dinode *d);

// Visits the inodes in `count` blocks that have been read, the first of which is inum.
static int visit_run(struct scan *s, uint32 inum, uint32 count, visitor *visit) {
  int err = 0;
  for (uint32 i = 0; i < count * IPB && inum < inode_limit() && err == 0; i++, inum++)
    if (inum >= ROOTINO) err = visit(s, inum, (const struct dinode *)s->run[i / IPB] + i % IPB);
  return err;
}

// Visits all inodes; 0 or the first error.
static int visit_all(struct scan *s, visitor *visit) {
  uint32 blocks = (inode_limit() + IPB - 1) / IPB;
  int err = 0;
  for (uint32 at = 0, run; at < blocks && err == 0; at += run) {
    run = MIN(blocks - at, disk_run_max());
    struct disk_request request = {
        .op = DISK_READ, .block = sb.inodestart + at, .count = run, .data = s->run};
    disk_submit(&request);
    err = disk_wait(&request);
    if (err == 0) err = visit_run(s, at * IPB, run, visit);
  }
  return err;
}

static int note_without_links(struct scan *s, uint32 inum, const struct dinode *d) {
  if (d->type != 0 && d->nlink < 1) put(s, inum);
  return 0;
}

// Takes what the directory names out of the set.
static int spare_named(struct scan *s, uint32 inum, const struct dinode *d) {
  if (d->type != T_DIR || d->nlink < 1) return 0;
  struct inode *dp;
  int err = iget(inum, &dp);
  if (err != 0) return err;
  err = ilock(dp);
  if (err == 0) {
    err = dir_each(dp, take_out, s);
    iunlock(dp);
  }
  iput(dp);
  return err;
}

static void free_all(struct scan *s) {
  for (uint32 inum = ROOTINO + 1; inum < inode_limit(); inum++) {
    if (!has(s, inum)) continue;
    printf("ireclaim: orphaned inode %u\n", inum);
    if (inode_free_orphan(inum) != 0) printf("fs: inode %u cannot be reclaimed\n", inum);
  }
}

static bool is_empty(const struct scan *s) {
  for (uint32 i = 0; i < SET_FRAMES * PGSIZE; i++)
    if (s->set[i / PGSIZE][i % PGSIZE] != 0) return false;
  return true;
}

int reclaim_orphans(void) {
  struct scan s;
  int err = scan_alloc(&s);
  if (err == 0) err = visit_all(&s, note_without_links);
  if (err == 0 && !is_empty(&s)) {
    if (visit_all(&s, spare_named) == 0)
      free_all(&s);
    else
      printf("fs: a directory cannot be read; no inode is reclaimed\n");
  }
  scan_free(&s);
  return err;
}
