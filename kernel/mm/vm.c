// Address spaces: regions and break, and the operations on a whole space.  What a
// single fault means is mm/fault.c's.
#include "mm/vm.h"

#include "debug/explore.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/fault.h"
#include "mm/kalloc.h"
#include "mm/pagetable.h"
#include "mm/slab.h"
#include "mm/tlb.h"
#include "sync/waitq.h"

static struct slab_cache vms = SLAB_CACHE(vms, struct vm);

struct vm *vm_create(void) {
  struct vm *vm = slab_alloc(&vms);
  if (vm == NULL) return NULL;
  vm->root = uvm_create();
  if (vm->root == NULL) {
    slab_free(&vms, vm);
    return NULL;
  }
  rwlock_init(&vm->lock, LOCK_VM);
  vm->size = 0;
  vm->region_count = 0;
  vm->refs = 1;
  vm->harts = 0;
  vm->stale_code = ~0UL;  // no hart has fenced since the frames were written
  vm->writes_code = false;
  return vm;
}

struct vm *vm_get(struct vm *vm) {
  atomic_add(&vm->refs, 1);
  return vm;
}

void vm_put(struct vm *vm) {
  if (atomic_add_acq_rel(&vm->refs, -1) != 1) return;
  ASSERT(atomic_load(&vm->harts) == 0);
  uvm_destroy(vm->root);
  slab_free(&vms, vm);
}

static struct region *last_of(struct vm *vm) { return &vm->regions[vm->region_count - 1]; }
static struct region *heap_of(struct vm *vm) { return last_of(vm); }  // I8

int vm_add_region(struct vm *vm, uint64 start, uint64 end, enum region_kind kind, uint32 prot) {
  uint64 floor = vm->region_count ? last_of(vm)->end : 0;
  if (start % PGSIZE || end % PGSIZE) return -ENOEXEC;
  if (start < floor || end < start || end > USERTOP) return -ENOEXEC;
  if (vm->region_count == MAX_REGIONS) return -ENOEXEC;
  vm->regions[vm->region_count++] = (struct region){start, end, kind, prot};
  vm->writes_code |= (prot & PTE_W) && (prot & PTE_X);
  vm->size = end;
  return 0;
}

int vm_add_heap(struct vm *vm, uint64 start) {
  return vm_add_region(vm, start, start, REGION_HEAP, PTE_R | PTE_W);
}

void *vm_fill_page(struct vm *vm, uint64 va) {
  const struct region *r = vm_region(vm, va);
  ASSERT(r != NULL && r->kind != REGION_GUARD && vm->harts == 0);
  pte_t *pte = walk_create(vm->root, va);
  if (pte == NULL) return NULL;
  if (*pte != 0) return pte_va(*pte);
  void *frame = kalloc_zeroed(FRAME_USER);
  if (frame != NULL) pte_install(pte, user_pte(va_to_pa(frame), r->prot));
  return frame;
}

bool vm_install_page(struct vm *vm, uint64 va, void *frame) {
  pte_t *pte = walk_create(vm->root, va);
  return pte != NULL && pte_install(pte, user_pte(va_to_pa(frame), vm_region(vm, va)->prot));
}

int vm_fork(struct vm *from, struct vm **out) {
  struct vm *to = vm_create();
  if (to == NULL) return -ENOMEM;
  rwlock_own(&from->lock);
  struct sharing what = {0};
  int err = uvm_share(from->root, to->root, &what);
  // Before anyone else may rely on the pages standing still.  After a failure
  // too: a page shared no more gets its right to write back at the next write.
  if (what.lost_write) tlb_flush(from);
  if (unlikely(what.pinned) && uvm_part_pinned(from->root, to->root) != 0 && !err) err = -ENOMEM;
  to->size = from->size;
  to->region_count = from->region_count;
  to->writes_code = from->writes_code;
  memcpy(to->regions, from->regions, from->region_count * sizeof(from->regions[0]));
  rwlock_disown(&from->lock);
  if (err) {
    vm_put(to);
    return err;
  }
  *out = to;
  return 0;
}

static void set_break(struct vm *vm, uint64 size) {
  vm->size = size;
  heap_of(vm)->end = PGROUNDUP(size);
}

int64 vm_grow(struct vm *vm, uint64 n) {
  rwlock_own(&vm->lock);
  uint64 old = vm->size;
  int64 result = old;
  if (n > USERTOP - old)
    result = -ENOMEM;
  else
    set_break(vm, old + n);
  rwlock_disown(&vm->lock);
  return result;
}

// Takes pages in [start, end) away from a vm that may be running.  Whole tables go to
// *gone, for uvm_free once the lock is released; no hart uses them any more.
static void unmap(struct vm *vm, uint64 start, uint64 end, struct detached *gone) {
  if (start >= end) return;
  explore_yield();
  uvm_detach(vm->root, start, end, gone);
  if (gone->what == DETACHED_NOTHING) return;
  if (gone->what == DETACHED_TABLES)
    tlb_flush(vm);
  else
    tlb_flush_range(vm, start, end);
  uvm_sweep(vm->root, start, end);
}

int64 vm_grow_eager(struct vm *vm, uint64 n) {
  struct detached gone = {0};
  rwlock_own(&vm->lock);
  uint64 old = vm->size;
  int64 result = -ENOMEM;
  if (n > USERTOP - old) goto out;
  uint64 first = PGROUNDUP(old), last = PGROUNDUP(old + n);
  set_break(vm, old + n);
  for (uint64 va = first; va < last; va += PGSIZE) {
    result = kill_pending() ? -EINTR : vmfault(vm, va, PTE_W);
    if (result == 0) continue;
    unmap(vm, first, va + PGSIZE, &gone);  // a failed one may leave empty tables
    set_break(vm, old);
    goto out;
  }
  result = old;
out:
  rwlock_disown(&vm->lock);
  if (gone.what == DETACHED_TABLES) uvm_free(&gone);
  return result;
}

// Drops regions above the new end, and starts an empty heap there if that cuts
// into what lies below the heap.
static void cut_regions(struct vm *vm, uint64 end) {
  if (heap_of(vm)->start <= end) {
    heap_of(vm)->end = end;
    return;
  }
  do vm->region_count--;
  while (vm->region_count > 0 && last_of(vm)->start >= end);
  if (vm->region_count > 0 && last_of(vm)->end > end) last_of(vm)->end = end;
  vm->regions[vm->region_count++] = (struct region){end, end, REGION_HEAP, PTE_R | PTE_W};
}

// What lies above a break inside a page must read as zeros when the break comes
// back.  The page may be shared: then it is copied first, which may fail.  One that can be
// written is not shared (I3), though it may be pinned, and a pin must not lose it.
static int clear_tail(struct vm *vm, uint64 size) {
  uint64 page = PGROUNDDOWN(size);
  if (size == page) return 0;
  pte_t *pte = walk(vm->root, page);
  if (pte == NULL || *pte == 0) return 0;
  if (!(*pte & PTE_W) && !page_is_sole(page_of_pa(pte_pa(*pte)))) {
    int err = fault_unshare(vm, page, pte);
    if (err) return err;
  }
  memset((char *)pte_va(*pte) + (size - page), 0, page + PGSIZE - size);
  if (*pte & PTE_X) tlb_code_changed(vm);
  return 0;
}

int64 vm_shrink(struct vm *vm, uint64 n) {
  struct detached gone = {0};
  rwlock_own(&vm->lock);
  uint64 old = vm->size;
  int64 result = old;
  if (n > old) goto out;
  int err = clear_tail(vm, old - n);
  if (err) {
    result = err;
    goto out;
  }
  uint64 end = PGROUNDUP(old - n);
  cut_regions(vm, end);
  vm->size = old - n;
  unmap(vm, end, PGROUNDUP(old), &gone);
out:
  rwlock_disown(&vm->lock);
  if (gone.what == DETACHED_TABLES) uvm_free(&gone);
  return result;
}
