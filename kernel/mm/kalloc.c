// Page frames: per-hart caches over one pool, and the reference counts.
//
// A hart allocates from and frees to a cache of its own, under that cache's own
// lock, which others only take when RAM runs out.  "No memory" is said only by a thread
// that holds the locks of all caches and the pool at once and sees that all are empty.
// A cache holds a list that grows and shrinks, and perhaps a whole batch as a spare; the
// pool holds whole batches, so that frames move between the two a batch at a time,
// however many those are
// (Bonwick and Adams, "Magazines and vmem", 2001).  Only the frames that are left
// over when the caches are drained lie in the pool one by one.  Free frames are
// linked through struct page, so a free frame's bytes are nobody's.
//
// Locks: FRAMES (a cache; several in the order of harts) before POOL.
#include "mm/kalloc.h"

#include "arch/devtree.h"
#include "arch/hart.h"
#include "debug/inject.h"
#include "lib/bits.h"
#include "lib/string.h"
#include "mm/frames.h"
#include "mm/page.h"

#define NONE  0  // no frame: no RAM at physical address 0
#define JUNK  0xa5a5a5a5a5a5a5a5UL

struct frame_cache {
  struct spinlock lock;     // FRAMES
  struct frame_list free;   // [lock] less than a batch
  uint32 spare;             // [lock] a whole batch, or NONE
  int64 used[FRAME_KINDS];  // [lock] allocations less frees here; sums are exact
} ALIGNED(CACHE_LINE);

struct page *pages_origin;
uint64 pages_first, pages_end;

static struct frame_cache caches[NCPU];
static uint64 managed;  // [const after boot]

static struct pool {
  struct spinlock lock;     // POOL
  struct frame_list loose;  // [lock]
  uint32 batches;           // [lock] the first one
  uint64 batch_count;       // [lock]
} OWN_LINE pool = {.lock = SPINLOCK(POOL)};

static void list_push(struct frame_list *list, struct page *pg) {
  pg->next = list->first;
  list->first = page_number(pg);
  list->count++;
}

static struct page *list_take(struct frame_list *list) {
  struct page *pg = &pages_origin[list->first];
  list->first = pg->next;
  list->count--;
  return pg;
}

static void list_move(struct frame_list *to, struct frame_list *from, uint32 n) {
  for (; n > 0 && from->count > 0; n--) list_push(to, list_take(from));
}

// The pool's lock is held.
static void pool_put(uint32 batch) {
  pages_origin[batch].next_batch = pool.batches;
  pool.batches = batch;
  pool.batch_count++;
}

// Fills an empty list from the pool.  Both locks are held.
static void pool_take(struct frame_cache *cache) {
  uint32 batch = pool.batches;
  if (batch == NONE) {
    list_move(&cache->free, &pool.loose, FRAME_BATCH);
    return;
  }
  pool.batches = pages_origin[batch].next_batch;
  pool.batch_count--;
  cache->free = (struct frame_list){batch, FRAME_BATCH};
}

// Fills an empty list: from the spare batch, or the pool.  The cache's lock is held.
static bool refill(struct frame_cache *cache) {
  if (cache->spare != NONE) {
    cache->free = (struct frame_list){cache->spare, FRAME_BATCH};
    cache->spare = NONE;
    return true;
  }
  acquire(&pool.lock);
  pool_take(cache);
  release(&pool.lock);
  return cache->free.count > 0;
}

// Keeps a batch as the spare one, in place of what was.  The cache's lock is held.
static void put_aside(struct frame_cache *cache, uint32 batch) {
  if (cache->spare != NONE) {
    acquire(&pool.lock);
    pool_put(cache->spare);
    release(&pool.lock);
  }
  cache->spare = batch;
}

// The cache's lock is held.
static inline void cache_put(struct frame_cache *cache, struct page *pg) {
  list_push(&cache->free, pg);
  if (likely(cache->free.count < FRAME_BATCH)) return;
  put_aside(cache, cache->free.first);
  cache->free = (struct frame_list){NONE, 0};
}

// Any hart's cache will do; that of the hart we are on is the one without
// contention, even if we are moved before we lock it.
static struct frame_cache *my_cache(void) { return &caches[this_hart()->id]; }

#ifdef DEBUG
// A free frame is full of junk: whoever writes to it after freeing it is found
// when it is handed out again.
void page_junk(struct page *pg) {
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
static inline void junk_check(struct page *pg) { (void)pg; }
#endif

static void acquire_all(void) {
  for (hartset t = machine.harts; t != 0; t &= t - 1)
    acquire_ascending(&caches[lowest_bit(t)].lock);
  acquire(&pool.lock);
}

static void release_all_but(const struct frame_cache *kept) {
  release(&pool.lock);
  for (hartset t = machine.harts; t != 0; t &= t - 1) {
    struct frame_cache *cache = &caches[lowest_bit(t)];
    if (cache != kept) release(&cache->lock);
  }
}

// Moves all that lies in the caches to the pool.  All locks are held.
static void drain_caches(void) {
  for (hartset t = machine.harts; t != 0; t &= t - 1) {
    struct frame_cache *cache = &caches[lowest_bit(t)];
    if (cache->spare != NONE) pool_put(cache->spare);
    cache->spare = NONE;
    list_move(&pool.loose, &cache->free, cache->free.count);
  }
}

// RAM is short.  With all locks held no frame is on its way from one list to another, so
// an empty pool is the truth.  Returns as restock.
static struct frame_cache *take_from_all(void) {
  acquire_all();
  drain_caches();
  struct frame_cache *cache = my_cache();
  pool_take(cache);
  if (cache->free.count == 0) cache = NULL;
  release_all_but(cache);
  return cache;
}

// The cache, which is locked, is empty: fills it, if need be with what lies in all the
// others.  Returns a cache with a free frame, locked; NULL, with none locked, if at one
// instant the machine had none.
static NOINLINE struct frame_cache *restock(struct frame_cache *cache) {
  if (likely(refill(cache))) return cache;
  release(&cache->lock);
  return take_from_all();
}

void *kalloc(enum frame_kind kind) {
  if (inject_here(INJECT_KALLOC)) return NULL;
  struct frame_cache *cache = my_cache();
  acquire(&cache->lock);
  if (unlikely(cache->free.count == 0)) {
    cache = restock(cache);
    if (cache == NULL) return NULL;
  }
  uint32 number = cache->free.first;
  struct page *pg = &pages_origin[number];
  list_take(&cache->free);
  cache->used[kind]++;
  ASSERT(pg->refs == 0);
  atomic_store(&pg->refs, 1);
  release(&cache->lock);
  junk_check(pg);
  pg->kind = kind;
  return pa_to_va((uint64)number << PGSHIFT);
}

// The lock of the cache is held.
static inline void free_into(struct frame_cache *cache, struct page *pg) {
  cache->used[pg->kind]--;
  atomic_store(&pg->refs, 0);
  cache_put(cache, pg);
}

void page_free(struct page *pg) {
  page_junk(pg);
  struct frame_cache *cache = my_cache();
  acquire(&cache->lock);
  free_into(cache, pg);
  release(&cache->lock);
}

bool page_drop_shared(struct page *pg) {
  for (;;) {
    uint32 refs = atomic_load(&pg->refs);
    ASSERT(refs != 0);
    if (page_is_sole(pg)) return false;
    // Release: the caller has finished with the frame.
    if (atomic_cas_release(&pg->refs, &refs, refs - 1)) return true;
  }
}

void kfree(void *page) {
  uint64 pa = va_to_pa(page);
  ASSERT(pa % PGSIZE == 0 && (pa >> PGSHIFT) - pages_first < pages_end - pages_first);
  page_put(page_of_pa(pa));
}

// While references are being dropped, the account of user frames is ahead by what the
// list holds: so it need not be kept for each frame.
struct frame_list *drops_begin(void) {
  struct frame_cache *cache = my_cache();
  acquire(&cache->lock);
  cache->used[FRAME_USER] += cache->free.count;
  return &cache->free;
}

static struct frame_cache *settle(struct frame_list *list) {
  struct frame_cache *cache = container_of(list, struct frame_cache, free);
  cache->used[FRAME_USER] -= list->count;
  return cache;
}

struct frame_list *drops_pause(struct frame_list *list) {
  struct frame_cache *cache = settle(list);
  put_aside(cache, list->first);
  *list = (struct frame_list){NONE, 0};
  release(&cache->lock);
  return drops_begin();
}

void drops_end(struct frame_list *list) { release(&settle(list)->lock); }

void drops_end_with(struct frame_list *list, struct page *pg) {
  struct frame_cache *cache = settle(list);
  page_junk(pg);
  free_into(cache, pg);
  release(&cache->lock);
}

static bool skipped(uint64 pa, const struct pa_range *skip, int skips) {
  for (int i = 0; i < skips; i++)
    if (pa + PGSIZE > skip[i].start && pa < skip[i].end) return true;
  return false;
}

void frames_init(uint64 ram_start, uint64 ram_end, uint64 first_free,
                 const struct pa_range *skip, int skips) {
  ASSERT(machine.harts & hart_bit(this_hart()->id));  // and others start only if listed
  for (int i = 0; i < NCPU; i++) initlock(&caches[i].lock, LOCK_FRAMES);
  pages_first = ram_start >> PGSHIFT;
  pages_end = ram_end >> PGSHIFT;
  ASSERT(pages_first > NONE && pages_end <= ~0u);
  struct page *array = pa_to_va(PGROUNDUP(first_free));
  uint64 bytes = (pages_end - pages_first) * sizeof(struct page);
  pages_origin = (struct page *)((uint64)array - pages_first * sizeof(struct page));
  memset(array, 0, bytes);
  uint64 first = PGROUNDUP(PGROUNDUP(first_free) + bytes);
  struct frame_list batch = {NONE, 0};
  for (uint64 pa = PGROUNDDOWN(ram_end) - PGSIZE; pa >= first; pa -= PGSIZE) {
    struct page *pg = page_of_pa(pa);
    if (skipped(pa, skip, skips)) continue;
    page_junk(pg);
    list_push(&batch, pg);
    managed++;
    if (batch.count < FRAME_BATCH) continue;
    pool_put(batch.first);
    batch = (struct frame_list){NONE, 0};
  }
  pool.loose = batch;
}

void frames_census(uint64 counts[FRAME_KINDS], uint64 *total) {
  memset(counts, 0, FRAME_KINDS * sizeof(counts[0]));
  for (int i = 0; i < NCPU; i++) {
    struct frame_cache *cache = &caches[i];
    acquire(&cache->lock);
    counts[FRAME_FREE] += cache->free.count + (cache->spare != NONE ? FRAME_BATCH : 0);
    for (int kind = FRAME_FREE + 1; kind < FRAME_KINDS; kind++)
      counts[kind] += cache->used[kind];
    release(&cache->lock);
  }
  acquire(&pool.lock);
  counts[FRAME_FREE] += pool.loose.count + pool.batch_count * FRAME_BATCH;
  release(&pool.lock);
  *total = managed;
}
