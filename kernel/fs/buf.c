// The buffer cache.  See fs/buf.h for the rules.
//
// A hit takes its bucket's lock and no other.  Which buffer to reuse is decided
// by a clock: the hand passes over all buffers in turn, takes the first that
// nobody refers to and that was not used since it came by last.  Locks: BCACHE,
// the clock's before a bucket's.
#include "fs/buf.h"

#include "dev/disk.h"
#include "kernel/atomic.h"
#include "kernel/fs.h"
#include "lib/assert.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/kalloc.h"
#include "sync/waitq.h"

enum { EMPTY, LOADING, VALID };  // states of a buffer: EMPTY after an error, too

#define BUCKETS      2048
#define PER_FRAME    (PGSIZE / sizeof(struct buf))
#define BLOCKS_PER_FRAME  (PGSIZE / BSIZE)

struct bucket {
  struct spinlock lock;  // BCACHE
  struct buf *first;     // [lock]
  struct waitq loaded;   // [lock] those who wait for a buffer to be LOADING no more
};

static struct bucket buckets[BUCKETS];

static struct clock {
  struct spinlock lock;  // BCACHE
  uint32 hand;           // [lock] index of the next candidate
  uint32 count;          // [const after boot] buffers
  uint32 starved;        // [atomic] processes that wait for a free buffer
  struct waitq waiters;  // [lock]
  struct buf *frames[BCACHE_MAX / PER_FRAME];  // [const after boot]
} OWN_LINE clock = {.lock = SPINLOCK(BCACHE), .waiters = WAITQ(clock.waiters)};

static struct bucket *bucket_of(uint32 block) { return &buckets[block % BUCKETS]; }
static struct buf *buf_at(uint32 i) { return &clock.frames[i / PER_FRAME][i % PER_FRAME]; }

uint32 bcache_size(void) { return clock.count; }

int bcache_init(uint32 nbuf) {
  nbuf = MIN(MAX(nbuf, BCACHE_MIN), BCACHE_MAX) / PER_FRAME * PER_FRAME;
  for (uint32 i = 0; i < BUCKETS; i++) {
    initlock(&buckets[i].lock, LOCK_BCACHE);
    waitq_init(&buckets[i].loaded);
  }
  uint8 *data = NULL;
  for (uint32 i = 0; i < nbuf; i++) {
    if (i % PER_FRAME == 0) {
      clock.frames[i / PER_FRAME] = kalloc_zeroed(FRAME_OTHER);
      if (clock.frames[i / PER_FRAME] == NULL) return -ENOMEM;
    }
    data = i % BLOCKS_PER_FRAME == 0 ? kalloc(FRAME_OTHER) : data + BSIZE;
    if (data == NULL) return -ENOMEM;
    buf_at(i)->data = data;
  }
  clock.count = nbuf;
  return 0;
}

// --- finding a victim -------------------------------------------------------

// Makes b the caller's if it is still free: out of its bucket, one reference.
// Clock lock held.
static bool detach(struct buf *b) {
  if (!b->hashed) {
    atomic_store(&b->refs, 1);
    return true;
  }
  struct bucket *k = bucket_of(b->block);
  acquire_nested(&k->lock);
  bool mine = atomic_load_acquire(&b->refs) == 0;  // B2: and stays so
  if (mine) {
    struct buf **link = &k->first;
    while (*link != b) link = &(*link)->next;
    *link = b->next;
    b->hashed = false;
    atomic_store(&b->refs, 1);
  }
  release(&k->lock);
  return mine;
}

// One buffer that the clock gives up, or NULL.  Two rounds: the first may find
// every buffer recently used.  Clock lock held.
static struct buf *sweep(void) {
  for (uint32 i = 0; i < 2 * clock.count; i++) {
    struct buf *b = buf_at(clock.hand);
    if (++clock.hand == clock.count) clock.hand = 0;
    // Acquire: with the last reference dropped, what its holder did is seen.
    if (atomic_load_acquire(&b->refs) != 0) continue;
    if (atomic_load(&b->recent))
      atomic_store(&b->recent, false);
    else if (detach(b))
      return b;
  }
  return NULL;
}

// A buffer without a block.  Waits while all are in use.
static struct buf *reclaim(void) {
  acquire(&clock.lock);
  struct buf *b = sweep();
  if (unlikely(b == NULL)) {
    // Pairs with the fence in brelse: it sees us, or we see its buffer.
    atomic_add(&clock.starved, 1);
    atomic_fence();
    while ((b = sweep()) == NULL) sleep(&clock.waiters, &clock.lock);
    atomic_add(&clock.starved, -1);
  }
  release(&clock.lock);
  return b;
}

// --- references -------------------------------------------------------------

static struct buf *find(struct bucket *k, uint32 block) {
  struct buf *b = k->first;
  while (b != NULL && b->block != block) b = b->next;
  if (b != NULL) atomic_add(&b->refs, 1);
  return b;
}

// The buffer for `block`, which is not in its bucket: one with another block so far, or
// one that somebody else brought meanwhile.  The bucket is locked before and after.
static NOINLINE struct buf *get_new(struct bucket *k, uint32 block) {
  struct buf *b;
  release(&k->lock);
  struct buf *spare = reclaim();
  acquire(&k->lock);
  b = find(k, block);
  if (unlikely(b != NULL)) {  // somebody was faster
    release(&k->lock);
    brelse(spare);
    acquire(&k->lock);
    return b;
  }
  spare->block = block;
  spare->state = EMPTY;
  spare->next = k->first;
  spare->hashed = true;
  k->first = spare;
  return spare;
}

// The buffer for `block`, in any state; returns with its bucket locked.
static inline struct buf *get(struct bucket *k, uint32 block) {
  acquire(&k->lock);
  struct buf *b = find(k, block);
  return likely(b != NULL) ? b : get_new(k, block);
}

// Reads b from the disk.  Bucket locked before and after, not in between.
static int load(struct bucket *k, struct buf *b) {
  b->state = LOADING;
  release(&k->lock);
  int err = disk_read(b->block, b->data);
  acquire(&k->lock);
  b->state = err == 0 ? VALID : EMPTY;
  wakeup(&k->loaded);
  return err;
}

// For a buffer that is not VALID: waits until it is loaded, or does so.  Bucket locked
// before, not after.
static NOINLINE int make_valid(struct bucket *k, struct buf *b, struct buf **out) {
  int err = 0;
  while (b->state != VALID && err == 0) {
    if (b->state == LOADING)
      sleep(&k->loaded, &k->lock);
    else
      err = load(k, b);
  }
  release(&k->lock);
  if (err == 0)
    *out = b;
  else
    brelse(b);
  return err;
}

int bread(uint32 block, struct buf **out) {
  struct bucket *k = bucket_of(block);
  struct buf *b = get(k, block);
  if (unlikely(b->state != VALID)) return make_valid(k, b, out);
  release(&k->lock);
  *out = b;
  return 0;
}

struct buf *bread_zeroed(uint32 block) {
  struct bucket *k = bucket_of(block);
  struct buf *b = get(k, block);
  while (b->state == LOADING) sleep(&k->loaded, &k->lock);
  b->state = VALID;
  release(&k->lock);
  memset(b->data, 0, BSIZE);
  return b;
}

void bhold(struct buf *b) {
  uint32 before = atomic_add(&b->refs, 1);
  ASSERT(before != 0);
}

static NOINLINE void feed_starved(void) {
  acquire(&clock.lock);
  wakeup(&clock.waiters);
  release(&clock.lock);
}

void brelse(struct buf *b) {
  atomic_store(&b->recent, true);
  uint32 before = atomic_add_acq_rel(&b->refs, -1);
  ASSERT(before != 0);
  if (before > 1) return;
  atomic_fence();
  if (unlikely(atomic_load(&clock.starved) != 0)) feed_starved();
}
