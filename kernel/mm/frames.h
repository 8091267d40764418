// The side of the frame allocator that only boot and statistics see.
#pragma once

#include "arch/devtree.h"
#include "lib/types.h"
#include "mm/kalloc.h"

// Sets up struct page for all RAM and hands the unused part to kalloc: what is
// neither below `first_free` nor in [skip[i].start, skip[i].end).  Once; the boot
// page table must map all RAM.
void frames_init(uint64 ram_start, uint64 ram_end, uint64 first_free,
                 const struct pa_range *skip, int skips);

// Frames in use by kind (FRAME_FREE: those that are free), and all of them.
// Exact while nobody allocates or frees.
void frames_census(uint64 counts[FRAME_KINDS], uint64 *total);
