// Page frames: per-hart caches over one pool, and the reference counts.
//
// A hart allocates from and frees to a cache of its own, under that cache's own
// lock, which others only take when RAM runs out.  Caches trade with the pool in
// batches.  Free frames are linked through struct page, so a free frame's bytes
// are nobody's.
//
// Locks: FRAMES (one cache) before POOL.
#include "mm/kalloc.h"

#include "arch/hart.h"
#include "debug/inject.h"
#include "lib/string.h"
#include "mm/frames.h"
#include "mm/page.h"

#define BATCH      32           // frames that move between a cache and the pool
#define CACHE_MAX  (3 * BATCH)  // a cache that grew to this gives a batch back
#define NONE       (~0u)        // end of a list of frames
#define JUNK       0xa5a5a5a5a5a5a5a5UL

struct frame_list {
  uint32 head;   // index of the first frame, or NONE
  uint32 count;
};

struct frame_cache {
  struct spinlock lock;      // FRAMES
  struct frame_list free;    // [lock]
  int64 used[FRAME_KINDS];   // [lock] allocations less frees here; sums are exact
} ALIGNED(CACHE_LINE);

struct page *pages;
uint64 pages_base, pages_count;

static struct frame_cache caches[NCPU];
static struct spinlock pool_lock = SPINLOCK(POOL);
static struct frame_list pool = {NONE, 0};  // [pool_lock]
static uint64 managed;                      // [const after boot]

static void list_push(struct frame_list *list, struct page *pg) {
  pg->next = list->head;
  list->head = pg - pages;
  list->count++;
}

static struct page *list_take(struct frame_list *list) {
  struct page *pg = &pages[list->head];
  list->head = pg->next;
  list->count--;
  return pg;
}

static void list_move(struct frame_list *to, struct frame_list *from, uint32 n) {
  for (; n > 0 && from->count > 0; n--) list_push(to, list_take(from));
}

// Fills an empty cache, whose lock is held, from the pool.
static bool refill(struct frame_cache *cache) {
  acquire(&pool_lock);
  list_move(&cache->free, &pool, BATCH);
  release(&pool_lock);
  return cache->free.count > 0;
}

// RAM is short: returns what lies in all the caches to the pool.  Returns whether
// there was anything.
static bool drain_caches(void) {
  bool any = false;
  for (uint32 i = 0; i < NCPU; i++) {
    struct frame_cache *cache = &caches[i];
    if (atomic_load(&cache->free.count) == 0) continue;
    acquire(&cache->lock);
    acquire(&pool_lock);
    any |= cache->free.count > 0;
    list_move(&pool, &cache->free, cache->free.count);
    release(&pool_lock);
    release(&cache->lock);
  }
  return any;
}

// Any hart's cache will do; that of the hart we are on is the one without
// contention, even if we are moved before we lock it.
static struct frame_cache *my_cache(void) { return &caches[this_hart()->id]; }

#ifdef DEBUG
// A free frame is full of junk: whoever writes to it after freeing it is found
// when it is handed out again.
static void junk_fill(struct page *pg) {
  uint64 *word = page_va(pg);
  for (int i = 0; i < PGSIZE / 8; i++) word[i] = JUNK;
}

static void junk_check(struct page *pg) {
  const uint64 *word = page_va(pg);
  for (int i = 0; i < PGSIZE / 8; i++)
    if (word[i] != JUNK)
      panic("free frame %lx was written to: %lx at offset %d", page_pa(pg), word[i], i * 8);
}
#else
static inline void junk_fill(struct page *pg) { (void)pg; }
static inline void junk_check(struct page *pg) { (void)pg; }
#endif

void *kalloc(enum frame_kind kind) {
  if (inject_here(INJECT_KALLOC)) return NULL;
  struct frame_cache *cache = my_cache();
  acquire(&cache->lock);
  while (unlikely(cache->free.count == 0) && !refill(cache)) {
    release(&cache->lock);
    bool any = drain_caches();
    cache = my_cache();
    acquire(&cache->lock);
    if (any || cache->free.count > 0 || refill(cache)) continue;  // or another hart drained
    release(&cache->lock);
    return NULL;
  }
  struct page *pg = list_take(&cache->free);
  cache->used[kind]++;
  release(&cache->lock);
  ASSERT(pg->refs == 0);
  junk_check(pg);
  pg->kind = kind;
  atomic_store(&pg->refs, 1);
  return page_va(pg);
}

void *kalloc_zeroed(enum frame_kind kind) {
  void *page = kalloc(kind);
  if (page) page_clear(page);
  return page;
}

static void free_frame(struct page *pg) {
  junk_fill(pg);
  struct frame_cache *cache = my_cache();
  acquire(&cache->lock);
  cache->used[pg->kind]--;
  list_push(&cache->free, pg);
  if (unlikely(cache->free.count >= CACHE_MAX)) {
    acquire(&pool_lock);
    list_move(&pool, &cache->free, BATCH);
    release(&pool_lock);
  }
  release(&cache->lock);
}

void kfree(void *page) {
  struct page *pg = page_of(page);
  ASSERT((uint64)page % PGSIZE == 0 && (uint64)(pg - pages) < pages_count);
  if (page_is_sole(pg)) {
    atomic_store(&pg->refs, 0);
    free_frame(pg);
    return;
  }
  uint32 before = atomic_add_acq_rel(&pg->refs, -1);
  ASSERT(before != 0);
  if (before == 1) free_frame(pg);
}

static bool skipped(uint64 pa, const struct pa_range *skip, int skips) {
  for (int i = 0; i < skips; i++)
    if (pa + PGSIZE > skip[i].start && pa < skip[i].end) return true;
  return false;
}

void frames_init(uint64 ram_start, uint64 ram_end, uint64 first_free,
                 const struct pa_range *skip, int skips) {
  for (int i = 0; i < NCPU; i++) {
    initlock(&caches[i].lock, LOCK_FRAMES);
    caches[i].free.head = NONE;
  }
  pages_base = ram_start;
  pages_count = (ram_end - ram_start) >> PGSHIFT;
  pages = pa_to_va(PGROUNDUP(first_free));
  memset(pages, 0, pages_count * sizeof(struct page));
  uint64 first = PGROUNDUP(PGROUNDUP(first_free) + pages_count * sizeof(struct page));
  for (uint64 pa = PGROUNDDOWN(ram_end) - PGSIZE; pa >= first; pa -= PGSIZE) {
    struct page *pg = page_of_pa(pa);
    if (skipped(pa, skip, skips)) continue;
    junk_fill(pg);
    list_push(&pool, pg);
    managed++;
  }
}

void frames_census(uint64 counts[FRAME_KINDS], uint64 *total) {
  memset(counts, 0, FRAME_KINDS * sizeof(counts[0]));
  for (int i = 0; i < NCPU; i++) {
    struct frame_cache *cache = &caches[i];
    acquire(&cache->lock);
    counts[FRAME_FREE] += cache->free.count;
    for (int kind = FRAME_FREE + 1; kind < FRAME_KINDS; kind++)
      counts[kind] += cache->used[kind];
    release(&cache->lock);
  }
  acquire(&pool_lock);
  counts[FRAME_FREE] += pool.count;
  release(&pool_lock);
  *total = managed;
}
