// Directories.  See fs/dir.h.  No locks of its own: the directory's inode is
// locked.
//
// An entry is compared as two words: a number of 16 bits and the first six bytes
// of the name, then the other eight.
#include "fs/dir.h"

#include "fs/blockmap.h"
#include "fs/buf.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/usercopy.h"

typedef uint64 __attribute__((may_alias)) word;

#define ENTRY      sizeof(struct dirent)
#define INUM_BITS  16
_Static_assert(ENTRY == 2 * sizeof(word) && BSIZE % ENTRY == 0, "entries are pairs of words");

static const struct name dot = {"."}, dotdot = {".."};

bool name_is_dots(const struct name *name) {
  return memcmp(name, &dot, sizeof dot) == 0 || memcmp(name, &dotdot, sizeof dotdot) == 0;
}

// A block of entries, and how many bytes of it belong to the directory.
static int entries_at(struct inode *dp, uint32 off, struct buf **out, uint32 *bytes) {
  uint32 block;
  int err = blockmap_find(dp, off / BSIZE, &block);
  if (err == 0) err = bread(block, out);
  *bytes = MIN((dp->d->size - off) / ENTRY * ENTRY, (uint32)BSIZE);
  return err;
}

// Looks for the two words among `bytes` bytes of entries; notes the first free
// slot in *slot unless it is set.  Returns the offset, or `bytes`.
static uint32 scan(const uint8 *entries, uint32 bytes, const word key[2], uint32 *slot) {
  for (uint32 at = 0; at < bytes; at += ENTRY) {
    const word *entry = (const word *)(entries + at);
    bool used = (entry[0] & ((1 << INUM_BITS) - 1)) != 0;
    if (entry[1] == key[1] && entry[0] >> INUM_BITS == key[0] && used) return at;
    if (!used && *slot == ~0u) *slot = at;
  }
  return bytes;
}

int dir_search(struct inode *dp, const struct name *name, struct place *out) {
  if (dp->d->type != T_DIR) return -ENOTDIR;
  if (dp->d->nlink < 1) return -ENOENT;
  struct dirent wanted ALIGNED(sizeof(word)) = {0};
  memcpy(wanted.name, name, DIRSIZ);
  const word *words = (const word *)&wanted;
  word key[2] = {words[0] >> INUM_BITS, words[1]};

  out->inum = 0;
  out->off = dp->d->size / ENTRY * ENTRY;
  bool have_slot = false;
  for (uint32 off = 0; off < dp->d->size; off += BSIZE) {
    struct buf *b;
    uint32 bytes;
    int err = entries_at(dp, off, &b, &bytes);
    if (err != 0) return err;
    uint32 slot = ~0u;
    uint32 at = scan(b->data, bytes, key, &slot);
    if (at < bytes) {
      out->inum = ((const struct dirent *)(b->data + at))->inum;
      out->off = off + at;
      brelse(b);
      return 0;
    }
    brelse(b);
    if (slot != ~0u && !have_slot) {
      have_slot = true;
      out->off = off + slot;
    }
  }
  return 0;
}

uint32 dir_enter_cost(void) { return inode_write_cost(1); }

int dir_enter(struct op *op, struct inode *dp, uint32 off, const struct name *name, uint32 inum) {
  struct dirent entry = {.inum = inum};
  memcpy(entry.name, name, DIRSIZ);
  struct io_buffer io;
  kernel_io(&io, &entry, ENTRY);
  int64 n = inode_write(op, dp, &io, off);
  return n < 0 ? n : 0;
}

// Not by inode_write, which allocates what is missing: this has room for one block only.
int dir_remove(struct op *op, struct inode *dp, uint32 off) {
  uint32 block;
  struct buf *b;
  int err = blockmap_find(dp, off / BSIZE, &block);
  if (err == 0) err = bread(block, &b);
  if (err != 0) return err;
  log_write(op, b);
  memset(b->data + off % BSIZE, 0, ENTRY);
  brelse(b);
  return 0;
}

int dir_init(struct op *op, struct inode *dp, uint32 parent) {
  int err = dir_enter(op, dp, 0, &dot, dp->inum);
  return err == 0 ? dir_enter(op, dp, ENTRY, &dotdot, parent) : err;
}

int dir_each(struct inode *dp, int (*visit)(void *arg, uint32 inum), void *arg) {
  for (uint32 off = 0; off < dp->d->size; off += BSIZE) {
    struct buf *b;
    uint32 bytes;
    int err = entries_at(dp, off, &b, &bytes);
    if (err != 0) return err;
    const struct dirent *entries = (const struct dirent *)b->data;
    for (uint32 i = 0; i < bytes / ENTRY && err == 0; i++) {
      struct name name;
      memcpy(&name, entries[i].name, DIRSIZ);
      if (entries[i].inum != 0 && !name_is_dots(&name)) err = visit(arg, entries[i].inum);
    }
    brelse(b);
    if (err != 0) return err;
  }
  return 0;
}

static int one_is_too_many(void *arg, uint32 inum) {
  (void)arg, (void)inum;
  return -ENOTEMPTY;
}

int dir_is_empty(struct inode *dp) { return dir_each(dp, one_is_too_many, NULL); }
