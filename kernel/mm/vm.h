// struct vm: an address space.
//
// Regions say what addresses mean; the page table says what is there by now.
// Locks: `lock`, a sleeping reader-writer lock, is held exclusively by whatever
// changes regions or size, or takes pages away or rights from them (shrink, fork,
// the end); shared by faults and user copies.  Entries of one leaf table are
// ordered by that table's spinlock (mm/pagetable.h).
//
//   I7  Regions are sorted and disjoint, page-aligned, below USERTOP.
//   I8  The last region is the heap; it ends at the size, rounded up to a page.
//   I9  Every present page lies in a region that is not a guard, with no right
//       that the region does not have.
#pragma once

#include "arch/hart.h"
#include "arch/pte.h"
#include "lib/types.h"
#include "sync/rwlock.h"

enum region_kind { REGION_IMAGE, REGION_GUARD, REGION_STACK, REGION_HEAP };

struct region {
  uint64 start, end;      // addresses
  enum region_kind kind;
  uint32 prot;            // of PTE_R, PTE_W, PTE_X
};

#define MAX_REGIONS  12  // program segments, guard, stack, heap

struct vm {
  pte_t *root;                          // [const] page table
  struct rwlock lock;                   // VM
  uint64 size;                          // [lock] bytes: the break
  uint32 region_count;                  // [lock]
  struct region regions[MAX_REGIONS];   // [lock]
  uint32 refs;                          // [atomic] threads that live here
  hartset harts;                        // [atomic] that may have it loaded (mm/tlb.c)
  hartset stale_code;                   // [atomic] that must fence.i before they run it
  bool writes_code;                     // [const once loaded] a region is writable and executable
};

// An empty address space, count 1, not known to anyone; NULL when RAM is
// exhausted.
struct vm *vm_create(void);

// One more reference, for a thread; returns vm.
struct vm *vm_get(struct vm *vm);

// Whether nobody but the caller, who lives in vm, runs in it; stays so until the
// caller itself changes it.
static inline bool vm_is_private(const struct vm *vm) {
  return atomic_load_acquire(&vm->refs) == 1;
}

// Drops a reference; the last one frees everything.  No hart has it loaded then.
void vm_put(struct vm *vm);

// While building a program, in rising order: a region, or the final empty heap.
// Return 0, or -ENOEXEC where it overlaps, passes USERTOP or is one too many.
int vm_add_region(struct vm *vm, uint64 start, uint64 end, enum region_kind kind, uint32 prot);
int vm_add_heap(struct vm *vm, uint64 start);

// While building a program: the frame for the page at va, zeroed and mapped with
// its region's rights; NULL when RAM is exhausted.
void *vm_fill_page(struct vm *vm, uint64 va);

// While building a program: makes `frame` the page at va, which has none.  False when RAM is
// exhausted; the frame is the caller's then.
bool vm_install_page(struct vm *vm, uint64 va, void *frame);

// A copy in *out that shares all pages with `from`, copy on write.  Returns 0 or
// -ENOMEM or -EINTR (a kill is looked at between leaf tables), which leave `from` as
// it was.  May sleep.
int vm_fork(struct vm *from, struct vm **out);

// Move the break by n bytes up (lazily; or with every page present), or down,
// freeing what is above at once.  Return the old size; -ENOMEM past USERTOP or
// when RAM is exhausted, -EINTR when an eager growth was killed (it looks between
// pages); then nothing has changed.  A shrink below 0 leaves the size as it is.  May
// sleep.
int64 vm_grow(struct vm *vm, uint64 n);
int64 vm_grow_eager(struct vm *vm, uint64 n);
int64 vm_shrink(struct vm *vm, uint64 n);

// The region of va, or NULL.  The lock is held.
static inline const struct region *vm_region(const struct vm *vm, uint64 va) {
  // Most faults are in the heap or the stack: from the top down.
  for (const struct region *r = &vm->regions[vm->region_count]; r-- > vm->regions;)
    if (va >= r->start) return va < r->end ? r : NULL;
  return NULL;
}
