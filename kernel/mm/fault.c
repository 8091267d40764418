// What a page fault means.
//
//   case  found                                  done
//   0     no region, or the guard                -EFAULT
//   1     the region forbids the access          -EACCES
//   2     the entry allows it already            fence
//   3     no page yet                            a zeroed frame, installed
//   4a    write to a page that is ours alone     set W
//   4b    write to a shared page                 copy, install, flush, drop the old
//   -     no frame to be had                     -ENOMEM
//
// Rights come from the region, sharing from the frame's count: a present page
// without W in a writable region is copy-on-write, and there is no other mark.
//
// The vm's lock is held shared, so the layout stands still and no fork is under
// way; other threads of the vm may fault on the same page at the same time.  A
// frame is therefore prepared first, and put in place in one atomic step that
// succeeds only if the entry is still what it was.  Who loses such a race returns 0
// as well: the access is tried again, and finds what the winner did.
//
// With several threads, a copy is put in place in two steps.  Between the change of
// the entry and the end of the flush other harts may still read the old frame; if
// somebody could write to the new one by then, and tell them so through another page,
// they would read stale bytes.  So the new entry first lacks W and is marked FRESH;
// W comes after the flush.  A writer that meets a FRESH entry does not wait: it
// flushes as well, and then sets W itself.
#include "mm/fault.h"

#include "debug/explore.h"
#include "debug/inject.h"
#include "debug/stats.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/kalloc.h"
#include "mm/pagetable.h"
#include "mm/tlb.h"
#include "mm/vm.h"

#define PTE_FRESH  PTE_SOFT  // other harts may still use what was here before

// A frame has been made ready, and is not in its place yet: the others' chance.
static inline void pause_before_install(void) {
  explore_yield();
  inject_slow_fault();
}

// Case 3.  Returns 0 or -ENOMEM.  No fence: an absent entry is in no TLB, and a hart
// that thinks otherwise faults once more and meets case 2.
static int fill(struct vm *vm, pte_t *pte, uint64 prot) {
  void *frame = kalloc_zeroed(FRAME_USER);
  if (unlikely(frame == NULL)) return -ENOMEM;
  pause_before_install();
  if (unlikely(prot & PTE_X)) tlb_code_changed(vm);
  if (likely(pte_install(pte, user_pte(va_to_pa(frame), prot))))
    stat_add(STAT_ZERO_FILLS, 1);
  else
    kfree(frame);
  return 0;
}

// Case 4a.  Only a fork or another thread's pin could make the page shared again.  There
// is no fork now, and a pin is either for reading, or that of another fault, which wants to
// replace this very entry and fails if this one was first.
static bool take_back(pte_t *pte, pte_t old) {
  return page_is_sole(page_of_pa(pte_pa(old))) && pte_replace(pte, old, old | PTE_W | PTE_D);
}

// Pins the frame that *pte leads to, if that still is what `old` says.
static bool pin(pte_t *pte, pte_t old) {
  acquire(pte_lock(pte));
  bool same = *pte == old;
  if (same) page_get(page_of_pa(pte_pa(old)));
  release(pte_lock(pte));
  return same;
}

// Puts another frame in the place of the old one, which user copies may be using.
static bool exchange(pte_t *pte, pte_t old, pte_t new) {
  acquire(pte_lock(pte));
  bool done = pte_replace(pte, old, new);
  release(pte_lock(pte));
  return done;
}

// Ends the second step of a copy.  It may be done already.
static void settle(struct vm *vm, uint64 va, pte_t *pte, pte_t fresh) {
  explore_yield();
  tlb_flush_page(vm, va);
  pte_replace(pte, fresh, (fresh & ~PTE_FRESH) | PTE_W | PTE_D);
}

// Case 4b for a vm with several threads.  The old frame is pinned while we copy from
// it, since another thread may replace the entry and drop its reference.  The entry's
// own reference is dropped only after no hart can reach the frame through this vm any
// more.  Returns whether the new frame is in place.
static bool copy_among_threads(struct vm *vm, uint64 va, pte_t *pte, pte_t old, void *frame,
                               uint64 prot) {
  struct page *pg = page_of_pa(pte_pa(old));
  if (!pin(pte, old)) return false;
  page_copy(frame, page_va(pg));
  pause_before_install();
  if (prot & PTE_X) tlb_code_changed(vm);
  pte_t new = user_pte(va_to_pa(frame), prot & ~PTE_W);
  bool first = exchange(pte, old, prot & PTE_W ? new | PTE_FRESH : new);
  if (first) {
    if (prot & PTE_W)
      settle(vm, va, pte, new | PTE_FRESH);
    else
      tlb_flush_page(vm, va);
    page_put(pg);  // the entry's
  }
  page_put(pg);  // the pin
  return first;
}

// Case 4b.  In a vm of our own nobody else changes the entry, copies through it, or
// runs on another hart.
static int copy_page(struct vm *vm, uint64 va, pte_t *pte, pte_t old, uint64 prot) {
  void *frame = kalloc(FRAME_USER);
  if (unlikely(frame == NULL)) return -ENOMEM;
  if (likely(vm_is_private(vm))) {
    page_copy(frame, pte_va(old));
    pause_before_install();
    if (unlikely(prot & PTE_X)) tlb_code_changed(vm);
    atomic_store_release(pte, user_pte(va_to_pa(frame), prot));
    sfence_page(va);
    page_put(page_of_pa(pte_pa(old)));
  } else if (!copy_among_threads(vm, va, pte, old, frame, prot)) {
    kfree(frame);
    return 0;
  }
  stat_add(STAT_COW_COPIES, 1);
  return 0;
}

int fault_unshare(struct vm *vm, uint64 va, pte_t *pte) {
  return copy_page(vm, va, pte, *pte, *pte & (PTE_R | PTE_W | PTE_X));
}

// A write to a present page that does not let it through.
static int break_sharing(struct vm *vm, uint64 va, pte_t *pte, pte_t entry, uint64 prot) {
  if (unlikely(entry & PTE_FRESH)) {
    settle(vm, va, pte, entry);
    return 0;
  }
  if (take_back(pte, entry)) {
    // Other harts' entries for it are merely too strict: they meet case 2.
    sfence_page(va);
    stat_add(STAT_COW_REUSES, 1);
    return 0;
  }
  return copy_page(vm, va, pte, entry, prot);
}

// The entry lets the access through: another hart was first, or our TLB is stale.  It
// may hold a table's entry as invalid, from before that table was made, and a fence of
// one address covers leaf entries only (privileged specification 4.2.1).
static int spurious(void) {
  sfence_all();
  stat_add(STAT_SPURIOUS, 1);
  return 0;
}

static int fill_without_table(struct vm *vm, uint64 va, uint64 prot) {
  pte_t *pte = walk_create(vm->root, va);
  return pte == NULL ? -ENOMEM : fill(vm, pte, prot);
}

// All calls are the last thing done, so this function keeps nothing on the stack.
int vmfault(struct vm *vm, uint64 va, uint64 access) {
  DEBUG_ASSERT(rwlock_is_held(&vm->lock));
  lockdebug_none_after(LOCK_VM);
  stat_add(STAT_FAULTS, 1);
  const struct region *r = vm_region(vm, va);
  if (unlikely(r == NULL || r->kind == REGION_GUARD)) return -EFAULT;
  uint64 prot = r->prot;
  if (unlikely(!(prot & access))) return -EACCES;
  pte_t *pte = walk(vm->root, va);
  if (unlikely(pte == NULL)) return fill_without_table(vm, va, prot);
  pte_t entry = atomic_load(pte);
  if (entry == 0) return fill(vm, pte, prot);
  if (entry & access) return spurious();
  return break_sharing(vm, va, pte, entry, prot);
}
