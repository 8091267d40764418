// Which address space each hart has loaded, and how the others are told when a
// translation has become wrong.
#pragma once

#include "lib/types.h"

struct vm;

// Loads vm (NULL: the kernel alone) on this hart.  Interrupts off.
void tlb_load(struct vm *vm);

// Returns when no hart uses a translation of vm older than this call: of the page
// at va, of the pages in [start, end), or of any page.  Interrupts on, no spinlock
// held: it waits for other harts, though it does not sleep.
void tlb_flush_page(struct vm *vm, uint64 va);
void tlb_flush_range(struct vm *vm, uint64 start, uint64 end);
void tlb_flush(struct vm *vm);

// The same for the kernel's own half, on every hart.
void tlb_flush_kernel(void);

// Code of vm has been written through kernel addresses.  Returns when no hart that
// runs vm fetches the bytes from before; the others will not when they load it.  Called
// before an entry leads to the code, or while it cannot be executed.  Interrupts on,
// no spinlock held.
void tlb_code_changed(struct vm *vm);

// Does what other harts have asked of this one.  From the IPI, interrupts off.
void tlb_answer(void);
