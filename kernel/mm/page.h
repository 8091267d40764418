// struct page: what the kernel knows of each frame of RAM.
//
//   I3  A frame that several page-table entries refer to is writable through
//       none of them.
//   I4  The count of a user frame is the number of entries that refer to it, and
//       one for each kernel path that has it pinned.
#pragma once

#include "arch/memlayout.h"
#include "kernel/atomic.h"
#include "lib/assert.h"
#include "lib/types.h"
#include "sync/spinlock.h"

struct page {
  uint32 refs;             // [atomic] 0: free
  union {
    uint32 next;           // free frames: [lock of the list] number of the next
    uint32 live;           // page tables: [lock, or atomic] entries in use
  };
  union {
    uint32 next_batch;     // first frame of a free batch: [POOL] of the next batch
    struct spinlock lock;  // leaf page tables: LEAF
  };
  uint8 kind;              // enum frame_kind, [the owner]
};

// A frame's number is its physical address in pages, and struct page of number n is
// pages_origin[n]; the array has no elements for what lies below RAM.
extern struct page *pages_origin;          // [const after boot]
extern uint64 pages_first, pages_end;      // [const after boot] numbers of RAM's frames

static inline struct page *page_of_pa(uint64 pa) { return &pages_origin[pa >> PGSHIFT]; }
static inline struct page *page_of(const void *va) { return page_of_pa(va_to_pa(va)); }
static inline uint32 page_number(const struct page *pg) { return pg - pages_origin; }
static inline uint64 page_pa(const struct page *pg) { return (uint64)page_number(pg) << PGSHIFT; }
static inline void *page_va(const struct page *pg) { return pa_to_va(page_pa(pg)); }

// Adds a reference for a holder who got it from one that has one.
static inline void page_get(struct page *pg) {
  uint32 before = atomic_add(&pg->refs, 1);
  ASSERT(before != 0 && before != ~0u);
}

// The same where the caller expects to hold the only reference.  Returns whether it did.
static inline bool page_get_second(struct page *pg) {
  uint32 before = atomic_add(&pg->refs, 1);
  if (likely(before == 1)) return true;
  ASSERT(before != 0 && before != ~0u);
  return false;
}

// Whether the caller's reference is the only one.  If so it stays so, for only a
// holder can add another.  Acquire: whatever the former sharers did to the frame
// is over.
static inline bool page_is_sole(const struct page *pg) {
  if (atomic_load(&pg->refs) != 1) return false;
  atomic_fence_acquire();
  return true;
}

// Drops the caller's reference.  Returns whether it was the last one: then the frame
// is the caller's to free.
static inline bool page_drop(struct page *pg) {
  if (page_is_sole(pg)) {
    atomic_store(&pg->refs, 0);
    return true;
  }
  uint32 before = atomic_add_acq_rel(&pg->refs, -1);
  if (likely(before > 1)) return false;
  ASSERT(before == 1);
  return true;
}

// Drops the caller's reference, and frees the frame if that was the last one.
void page_free(struct page *pg);
static inline void page_put(struct page *pg) {
  if (page_drop(pg)) page_free(pg);
}

// User frames on their way back to kalloc, a batch at a time.  Starts as {0}.
#define FRAME_BATCH  32

struct frame_batch {
  uint32 first;  // number; chained through `next`, of which the last is undefined
  uint32 count;
};

// Gives the frames of a batch back, and empties it.  Any context.
void kfree_batch(struct frame_batch *batch);

// Drops a reference to a user frame; a frame without any joins the batch.
static inline void page_drop_into(struct frame_batch *batch, struct page *pg) {
  if (!page_drop(pg)) return;
  pg->next = batch->first;
  batch->first = page_number(pg);
  if (++batch->count == FRAME_BATCH) kfree_batch(batch);
}
