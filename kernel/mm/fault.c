// What a page fault means.
//
//   case  found                                  done
//   0     no region, or the guard                -EFAULT
//   1     the region forbids the access          -EACCES
//   2     the entry allows it already            fence this page
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
// frame is therefore prepared first, and put in place under the leaf table's lock
// only if the entry is still what it was.
//
// With several threads, a copy is put in place in two steps.  Between the change of
// the entry and the end of the flush other harts may still read the old frame; if
// somebody could write to the new one by then, and tell them so through another page,
// they would read stale bytes.  So the new entry first lacks W and is marked FRESH;
// W comes after the flush.  A writer that meets a FRESH entry does not wait: it
// flushes as well, and then sets W itself.
#include "mm/fault.h"

#include "debug/explore.h"
#include "debug/stats.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/kalloc.h"
#include "mm/pagetable.h"
#include "mm/tlb.h"
#include "mm/vm.h"

#define PTE_FRESH  PTE_SOFT  // other harts may still use what was here before

// Replaces *pte by `new` if it still is `old`.
static bool replace(pte_t *pte, pte_t old, pte_t new) {
  struct spinlock *lk = pte_lock(pte);
  acquire(lk);
  bool same = *pte == old;
  if (same) {
    if (old == 0)
      pte_install(pte, new);
    else
      atomic_store_release(pte, new);
  }
  release(lk);
  return same;
}

// Case 3.  Returns 0, -ENOMEM, or -EAGAIN when another thread was first.  No
// fence: an absent entry is in no TLB, and a hart that thinks otherwise faults
// once more and meets case 2.
static int fill(pte_t *pte, uint32 prot) {
  void *frame = kalloc_zeroed(FRAME_USER);
  if (frame == NULL) return -ENOMEM;
  explore_yield();
  if (!replace(pte, 0, user_pte(va_to_pa(frame), prot))) {
    kfree(frame);
    return -EAGAIN;
  }
  stat_add(STAT_ZERO_FILLS, 1);
  return 0;
}

// Case 4a.  The check and the change are one step under the leaf lock.
static bool take_back(pte_t *pte, pte_t old) {
  struct spinlock *lk = pte_lock(pte);
  acquire(lk);
  bool sole = *pte == old && page_is_sole(page_of_pa(pte_pa(old)));
  if (sole) atomic_store(pte, old | PTE_W | PTE_D);
  release(lk);
  return sole;
}

// Ends the second step of a copy.  It may be done already.
static void settle(struct vm *vm, uint64 va, pte_t *pte, pte_t fresh) {
  explore_yield();
  tlb_flush_page(vm, va);
  replace(pte, fresh, (fresh & ~PTE_FRESH) | PTE_W | PTE_D);
}

// Case 4b.  The old frame is pinned while we copy from it, since another thread
// may replace the entry and drop its reference; and the entry's own reference is
// dropped only after no hart can reach the frame through this vm any more.
static int copy_page(struct vm *vm, uint64 va, pte_t *pte, pte_t old, uint64 prot) {
  void *frame = kalloc(FRAME_USER);
  if (frame == NULL) return -ENOMEM;
  acquire(pte_lock(pte));
  bool same = *pte == old;
  if (same) page_get(page_of_pa(pte_pa(old)));
  release(pte_lock(pte));
  if (!same) {
    kfree(frame);
    return -EAGAIN;
  }
  page_copy(frame, pte_va(old));
  explore_yield();
  bool two_steps = (prot & PTE_W) && !vm_is_private(vm);
  pte_t new = user_pte(va_to_pa(frame), two_steps ? prot & ~PTE_W : prot);
  if (two_steps) new |= PTE_FRESH;
  same = replace(pte, old, new);
  if (same) {
    if (prot & PTE_X) tlb_code_changed(vm);
    if (two_steps)
      settle(vm, va, pte, new);
    else
      tlb_flush_page(vm, va);
    kfree(pte_va(old));  // the entry's
    stat_add(STAT_COW_COPIES, 1);
  } else {
    kfree(frame);
  }
  kfree(pte_va(old));  // the pin
  return same ? 0 : -EAGAIN;
}

int fault_unshare(struct vm *vm, uint64 va, pte_t *pte) {
  int err;
  do err = copy_page(vm, va, pte, *pte, *pte & (PTE_R | PTE_W | PTE_X));
  while (err == -EAGAIN);
  return err;
}

// A write to a present page that does not let it through.
static int break_sharing(struct vm *vm, uint64 va, pte_t *pte, pte_t entry, uint32 prot) {
  if (unlikely(entry & PTE_FRESH)) {
    settle(vm, va, pte, entry);
    return 0;
  }
  if (!page_is_sole(page_of_pa(pte_pa(entry)))) return copy_page(vm, va, pte, entry, prot);
  if (!take_back(pte, entry)) return -EAGAIN;
  // Other harts' entries for it are merely too strict: they meet case 2.
  sfence_page(va);
  stat_add(STAT_COW_REUSES, 1);
  return 0;
}

int vmfault(struct vm *vm, uint64 va, uint64 access) {
  DEBUG_ASSERT(rwlock_is_held(&vm->lock));
  stat_add(STAT_FAULTS, 1);
  const struct region *r = vm_region(vm, va);
  if (r == NULL || r->kind == REGION_GUARD) return -EFAULT;
  if (!(r->prot & access)) return -EACCES;
  pte_t *pte = walk_create(vm->root, va);
  if (pte == NULL) return -ENOMEM;
  int err;
  do {
    pte_t entry = atomic_load(pte);
    if (entry == 0) {
      err = fill(pte, r->prot);
      if (r->prot & PTE_X) tlb_code_changed(vm);
    } else if (entry & access) {
      sfence_page(va);
      stat_add(STAT_SPURIOUS, 1);
      err = 0;
    } else {
      err = break_sharing(vm, va, pte, entry, r->prot);
    }
  } while (err == -EAGAIN);
  return err;
}
