// Object caches: objects of one size cut from single frames.  A frame goes back
// to kalloc as soon as its last object is freed.
#pragma once

#include "lib/list.h"
#include "lib/types.h"
#include "sync/spinlock.h"

struct slab_cache {
  const char *name;
  uint32 object_size;    // bytes, rounded up to 16; at most a quarter page
  struct spinlock lock;
  struct list partial;   // [lock] frames with a free object
};

// A static cache: `static struct slab_cache pipes = SLAB_CACHE(pipes, struct pipe);`
#define SLAB_CACHE(var, type) \
  { #var, (sizeof(type) + 15) & ~15u, SPINLOCK(SLAB), LIST_INIT((var).partial) }

// An object with undefined contents, aligned to 16; NULL when RAM is exhausted.
// Any context; never sleeps.
void *slab_alloc(struct slab_cache *cache);

// Gives an object back to the cache it came from.
void slab_free(struct slab_cache *cache, void *object);
