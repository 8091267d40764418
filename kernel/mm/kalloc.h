// Page frames: allocation and reference counts.
//
// A frame handed out has count 1.  Sharers add references; whoever drops the
// last one frees the frame, on whichever hart that happens.
//
//   I1  A frame is on a free list exactly when its count is 0: both change under the
//       lock of one cache, so a frame that is not in use is always to be found.
//   I2  The count goes from 0 to 1 in kalloc alone.
#pragma once

#include "lib/string.h"
#include "lib/types.h"

// What a frame is used for: memstat counts frames by this.
enum frame_kind {
  FRAME_FREE,
  FRAME_USER,
  FRAME_PAGETABLE,
  FRAME_KSTACK,
  FRAME_SLAB,
  FRAME_PIPE,
  FRAME_OTHER,
  FRAME_KINDS
};

// A frame with undefined contents, count 1; NULL when at one instant of the call no
// frame was free.  Any context, locks up to SLAB held; never sleeps.
void *kalloc(enum frame_kind kind);

// The same, filled with zeros.
static inline void *kalloc_zeroed(enum frame_kind kind) {
  void *page = kalloc(kind);
  if (likely(page != NULL)) page_clear(page);
  return page;
}

// Drops one reference to the frame at `page`, an address that kalloc gave; the
// last drop frees it.  Panics on a frame that is free already.
void kfree(void *page);
