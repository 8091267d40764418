// struct page: what the kernel knows of each frame of RAM.
//
//   I3  A frame that several page-table entries refer to is writable through
//       none of them.
//   I4  The count of a user frame is the number of entries that refer to it, and
//       one for each kernel path that has it pinned.
#pragma once

#include "arch/memlayout.h"
#include "lib/assert.h"
#include "lib/atomic.h"
#include "lib/types.h"
#include "sync/spinlock.h"

struct page {
  uint32 refs;           // [atomic] 0: free
  union {
    uint32 next;         // free frames: [lock of the list] index of the next
    uint32 live;         // page tables: [lock, or atomic above the leaves] entries in use
  };
  struct spinlock lock;  // leaf page tables: LEAF
  uint8 kind;            // enum frame_kind, [the owner]
};

extern struct page *pages;    // [const after boot] one for each frame of RAM
extern uint64 pages_base;     // [const after boot] physical address of frame 0
extern uint64 pages_count;    // [const after boot]

static inline uint64 page_index(uint64 pa) { return (pa - pages_base) >> PGSHIFT; }
static inline struct page *page_of_pa(uint64 pa) { return &pages[page_index(pa)]; }
static inline struct page *page_of(const void *va) { return page_of_pa(va_to_pa(va)); }
static inline uint64 page_pa(const struct page *pg) {
  return pages_base + ((uint64)(pg - pages) << PGSHIFT);
}
static inline void *page_va(const struct page *pg) { return pa_to_va(page_pa(pg)); }

// Adds a reference for a holder who got it from one that has one.
static inline void page_get(struct page *pg) {
  uint32 before = atomic_add(&pg->refs, 1);
  ASSERT(before != 0 && before != ~0u);
}

// Whether the caller's reference is the only one.  If so it stays so, for only a
// holder can add another.  Acquire: whatever the former sharers did to the frame
// is over.
static inline bool page_is_sole(const struct page *pg) {
  return atomic_load_acquire(&pg->refs) == 1;
}
