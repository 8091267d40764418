// TLB shootdown.
//
// vm->harts is the set of harts that may hold translations of vm.  A hart adds
// itself before it loads the root, and takes itself out after it has loaded
// another.  Who changes an entry writes it first and reads the set afterwards,
// with a full fence between on either side: so either the set names the hart, or
// the hart's first walk sees the new entry.
//
// A request is a bit for the requester in the target's inbox and an IPI; the
// answer clears the target's bit in the requester's waiting set.  The requester
// waits with interrupts off, but answers requests itself meanwhile, so two harts
// that shoot at each other both get on.
#include "mm/tlb.h"

#include "arch/csr.h"
#include "arch/ipi.h"
#include "arch/pte.h"
#include "debug/stats.h"
#include "lib/assert.h"
#include "lib/atomic.h"
#include "lib/bits.h"
#include "mm/kvm.h"
#include "mm/vm.h"

static struct tlb_hart {
  struct vm *loaded;  // [hart]
  hartset inbox;      // [atomic] harts that want a flush of this one
  hartset waiting;    // [atomic] harts that have not answered this one
} ALIGNED(CACHE_LINE) tlbs[NCPU];

// Code pages that other harts wrote are fetched only after a fence.i here.
static void sync_code(struct vm *vm, hartset me) {
  if (atomic_load(&vm->stale_code) & me) {
    atomic_and(&vm->stale_code, ~me);
    fence_i();
  }
}

void tlb_load(struct vm *vm) {
  uint32 id = this_hart()->id;
  hartset me = hart_bit(id);
  struct vm *old = tlbs[id].loaded;
  if (old != vm) {
    if (vm != NULL) atomic_or(&vm->harts, me);
    csr_write(satp, satp_for(vm != NULL ? vm->root : kernel_root));
    sfence_all();
    tlbs[id].loaded = vm;
    if (old != NULL) atomic_and(&old->harts, ~me);
  }
  if (vm != NULL) sync_code(vm, me);
}

void tlb_code_changed(struct vm *vm) {
  atomic_store(&vm->stale_code, ~0UL);
  fence_i();
}

void tlb_answer(void) {
  uint32 id = this_hart()->id;
  hartset from = atomic_swap(&tlbs[id].inbox, 0);
  if (from == 0) return;
  sfence_all();
  fence_i();  // a page of code may have been replaced
  for (; from != 0; from &= from - 1)
    atomic_and(&tlbs[lowest_bit(from)].waiting, ~hart_bit(id));
}

// Has `targets` flush, and waits until all have.
static void shoot_down(uint32 id, hartset targets) {
  atomic_store(&tlbs[id].waiting, targets);
  for (hartset t = targets; t != 0; t &= t - 1) {
    uint32 target = lowest_bit(t);
    atomic_or(&tlbs[target].inbox, hart_bit(id));
    ipi_send(target, IPI_SHOOTDOWN);
  }
  stat_add(STAT_SHOOTDOWNS, 1);
  while (atomic_load_acquire(&tlbs[id].waiting) != 0) {
    tlb_answer();
    cpu_relax();
  }
}

// The harts that may hold translations of vm.
static hartset users_of(struct vm *vm) {
  atomic_fence();
  return atomic_load(&vm->harts);
}

// Has all of `set` but this hart flush.  Interrupts off since before this hart did
// so itself: the caller must not have been moved to another.
static void flush_others(hartset set) {
  uint32 id = this_hart()->id;
  set &= ~hart_bit(id);
  if (set != 0) shoot_down(id, set);
}

void tlb_flush_page(struct vm *vm, uint64 va) {
  ASSERT(intr_get());
  push_off();
  sfence_page(va);
  flush_others(users_of(vm));
  pop_off();
}

void tlb_flush(struct vm *vm) {
  ASSERT(intr_get());
  push_off();
  sfence_all();
  flush_others(users_of(vm));
  pop_off();
}

void tlb_flush_kernel(void) {
  ASSERT(intr_get());
  push_off();
  sfence_all();
  flush_others(atomic_load(&online_harts));
  pop_off();
}
