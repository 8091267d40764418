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
    uint32 next_table;     // page tables cut off: [the owner of the list]
    struct spinlock lock;  // leaf page tables in use: LEAF
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

// Frees the frame; the caller's reference is the only one.
void page_free(struct page *pg);

// Drops the caller's reference unless it is the only one.  Returns whether it did.
bool page_drop_shared(struct page *pg);

// Drops the caller's reference, and frees the frame if that was the last one.
static inline void page_put(struct page *pg) {
  if (page_is_sole(pg) || !page_drop_shared(pg)) page_free(pg);
}

// Free frames, chained through `next`, of which the last is undefined.
#define FRAME_BATCH  32

struct frame_list {
  uint32 first;  // number
  uint32 count;
};

// Dropping many references to user frames.  drops_begin locks the hart's frame cache and
// returns its list; page_drop_into adds a frame whose last reference it drops; drops_end
// unlocks.  So a frame whose count has become 0 is on a list before anything else can
// see or delay that (I1).  Interrupts are off in between: for at most FRAME_BATCH frames
// freed, then drops_pause gives up the lock for a moment, and at most the entries of one
// table looked at, for which the caller answers.  drops_end_with also frees one more
// frame, of any kind, to which the caller has the only reference.
struct frame_list *drops_begin(void);
struct frame_list *drops_pause(struct frame_list *list);
void drops_end(struct frame_list *list);
void drops_end_with(struct frame_list *list, struct page *pg);

#ifdef DEBUG
void page_junk(struct page *pg);  // what a free frame is full of
#else
static inline void page_junk(struct page *pg) { (void)pg; }
#endif

static inline void page_drop_into(struct frame_list **list, struct page *pg) {
  if (page_is_sole(pg)) {
    atomic_store(&pg->refs, 0);
  } else {
    uint32 before = atomic_add_acq_rel(&pg->refs, -1);
    if (likely(before > 1)) return;
    ASSERT(before == 1);
  }
  page_junk(pg);
  pg->next = (*list)->first;
  (*list)->first = page_number(pg);
  if (++(*list)->count == FRAME_BATCH) *list = drops_pause(*list);
}
