// Object caches: see mm/slab.h.
//
// Each frame starts with a header; the free objects in it are chained through
// their first word.  Full frames are on no list: freeing an object finds the
// header by rounding its address down.
#include "mm/slab.h"

#include "lib/assert.h"
#include "mm/kalloc.h"

struct slab {
  struct list link;          // [cache lock] on cache->partial, or alone when full
  struct slab_cache *cache;  // [const]
  void *free;                // [cache lock] first free object
  uint32 in_use;             // [cache lock]
};

#define FIRST_OBJECT  SLAB_ROUND(CACHE_LINE)
_Static_assert(sizeof(struct slab) <= FIRST_OBJECT, "the header comes first");

// A fresh frame cut into objects, or NULL.
static struct slab *slab_new(struct slab_cache *cache) {
  struct slab *slab = kalloc(FRAME_SLAB);
  if (slab == NULL) return NULL;
  list_init(&slab->link);
  slab->cache = cache;
  slab->in_use = 0;
  slab->free = NULL;
  for (uint64 at = FIRST_OBJECT; at + cache->object_size <= PGSIZE; at += cache->object_size) {
    void **object = (void *)((char *)slab + at);
    *object = slab->free;
    slab->free = object;
  }
  return slab;
}

void *slab_alloc(struct slab_cache *cache) {
  ASSERT(cache->object_size <= PGSIZE / 4);
  acquire(&cache->lock);
  if (list_empty(&cache->partial)) {
    struct slab *fresh = slab_new(cache);
    if (fresh == NULL) {
      release(&cache->lock);
      return NULL;
    }
    list_push_front(&cache->partial, &fresh->link);
  }
  struct slab *slab = list_entry(cache->partial.next, struct slab, link);
  void **object = slab->free;
  slab->free = *object;
  slab->in_use++;
  if (slab->free == NULL) list_remove(&slab->link);
  release(&cache->lock);
  return object;
}

void slab_free(struct slab_cache *cache, void *object) {
  struct slab *slab = (void *)PGROUNDDOWN((uint64)object);
  ASSERT(slab->cache == cache && slab->in_use > 0);
  acquire(&cache->lock);
  if (slab->free == NULL) list_push_front(&cache->partial, &slab->link);
  *(void **)object = slab->free;
  slab->free = object;
  bool empty = --slab->in_use == 0;
  if (empty) {
    list_remove(&slab->link);
    kfree(slab);  // before the lock is released: nothing delays a frame without objects
  }
  release(&cache->lock);
}
