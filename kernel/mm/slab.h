// Object caches: objects of one size cut from single frames.  A frame goes back
// to kalloc as soon as its last object is freed.
#pragma once

#include "lib/list.h"
#include "lib/types.h"
#include "sync/spinlock.h"

struct slab_cache {
  const char *name;
  uint32 object_size;    // bytes, rounded up; at most a quarter page
  struct spinlock lock;
  struct list partial;   // [lock] frames with a free object
} OWN_LINE;

// A static cache: `static struct slab_cache pipes = SLAB_CACHE(pipes, struct pipe);`
#define SLAB_CACHE(var, type) \
  { #var, SLAB_ROUND(sizeof(type)), SPINLOCK(SLAB), LIST_INIT((var).partial) }

// Objects of a cache line or more share none with their neighbours.
#define SLAB_ROUND(n)  ((n) < CACHE_LINE ? ((n) + 15) & ~15u : ((n) + CACHE_LINE - 1) & ~63u)

// An object with undefined contents, aligned to 16; NULL when RAM is exhausted.
// Any context; never sleeps.
void *slab_alloc(struct slab_cache *cache);

// Gives an object back to the cache it came from.
void slab_free(struct slab_cache *cache, void *object);
