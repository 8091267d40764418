// TLB shootdown.
//
// vm->harts is the set of harts that may hold translations of vm.  A hart adds
// itself before it loads the root, and takes itself out after it has loaded
// another.  Whatever changes an entry writes it first and reads the set afterwards,
// with a full fence between on either side: so either the set names the hart, or
// the hart's first walk sees the new entry.  For the kernel's half the set is
// online_harts, and a hart that starts joins it before it fences (hart_main).
//
// A request is what the requester has written down, a bit for it in the target's
// inbox, and an IPI; the answer clears the target's bit in the requester's waiting
// set.  The requester waits with interrupts off, but answers requests itself
// meanwhile, so two harts that shoot at each other both get on.
//
// Code goes the same way: a page that may be executed is announced (vm->stale_code)
// before it can be reached, so a hart that finds it has done its fence.i.
#include "mm/tlb.h"

#include "arch/csr.h"
#include "arch/ipi.h"
#include "arch/pte.h"
#include "debug/stall.h"
#include "debug/stats.h"
#include "kernel/atomic.h"
#include "lib/assert.h"
#include "lib/bits.h"
#include "mm/kvm.h"
#include "mm/vm.h"

// What a requester wants flushed.  It waits for the answers, so this stands still.
struct request {
  struct vm *vm;  // NULL: the kernel's half
  uint64 start;   // address of the first page
  uint64 pages;   // or ALL
};

// Beyond this many pages it is cheaper to drop all translations.
#define PAGES_MOST  32
#define ALL         (~0UL)

static struct tlb_hart {
  struct vm *loaded;       // [hart]
  hartset inbox;           // [atomic] harts that want a flush of this one
  hartset waiting;         // [atomic] harts that have not answered this one
  struct request request;  // [hart; others read it while this one waits for them]
} ALIGNED(CACHE_LINE) tlbs[NCPU];

// Code pages that other harts wrote are fetched only after a fence.i here.  A program
// that can write code may have done so, and its fence.i, on another hart: its bits stay
// set, so each hart fences whenever one of its threads comes to run there.
static void sync_code(struct vm *vm, hartset me) {
  if (atomic_load(&vm->stale_code) & me) {
    if (!vm->writes_code) atomic_and_full(&vm->stale_code, ~me);
    fence_i();
  }
}

void tlb_load(struct vm *vm) {
  uint32 id = this_hart()->id;
  hartset me = hart_bit(id);
  struct vm *old = tlbs[id].loaded;
  if (old != vm) {
    if (vm != NULL) atomic_or_full(&vm->harts, me);
    csr_write(satp, satp_for(vm != NULL ? vm->root : kernel_root));
    sfence_all();
    tlbs[id].loaded = vm;
    if (old != NULL) atomic_and_full(&old->harts, ~me);
  }
  if (vm != NULL) sync_code(vm, me);
}

static void flush_here(uint64 start, uint64 pages) {
  if (pages == ALL)
    sfence_all();
  else
    for (; pages > 0; pages--, start += PGSIZE) sfence_page(start);
}

// The sender's request is read after its bit: both exchanges order that.
void tlb_answer(void) {
  uint32 id = this_hart()->id;
  hartset from = atomic_swap_full(&tlbs[id].inbox, 0);
  for (; from != 0; from &= from - 1) {
    struct tlb_hart *sender = &tlbs[lowest_bit(from)];
    flush_here(sender->request.start, sender->request.pages);
    if (sender->request.vm != NULL) sync_code(sender->request.vm, hart_bit(id));
    atomic_and_full(&sender->waiting, ~hart_bit(id));
    stat_add(STAT_FLUSHES, 1);
  }
}

// Has `targets` do what this hart's request says, and waits until all have.
static NOINLINE void shoot_down(uint32 id, hartset targets) {
  atomic_store(&tlbs[id].waiting, targets);
  for (hartset t = targets; t != 0; t &= t - 1) {
    uint32 target = lowest_bit(t);
    atomic_or_full(&tlbs[target].inbox, hart_bit(id));
    ipi_send(target, IPI_SHOOTDOWN);
  }
  stat_add(STAT_SHOOTDOWNS, 1);
  struct patience wait = {0};
  while (atomic_load_acquire(&tlbs[id].waiting) != 0) {
    if (atomic_load(&tlbs[id].inbox) != 0) tlb_answer();
    if (patience_ends(&wait))
      panic("no progress: harts %lx do not answer a shootdown", atomic_load(&tlbs[id].waiting));
    cpu_relax();
  }
}

// The harts that may hold translations of vm, or of the kernel's half.
static hartset users_of(struct vm *vm) {
  atomic_fence();
  return atomic_load(vm != NULL ? &vm->harts : &online_harts);
}

// What this hart has done for itself, the others shall do.  Interrupts are off since
// before, so that it still is the hart that needs no telling.
static void tell_others(struct vm *vm, uint64 start, uint64 pages) {
  uint32 id = this_hart()->id;
  hartset others = users_of(vm) & ~hart_bit(id);
  if (likely(others == 0)) return;
  tlbs[id].request = (struct request){vm, start, pages};
  shoot_down(id, others);
}

void tlb_flush_page(struct vm *vm, uint64 va) {
  ASSERT(intr_get());
  push_off();
  sfence_page(va);
  tell_others(vm, va, 1);
  pop_off();
}

static void flush(struct vm *vm, uint64 start, uint64 pages) {
  ASSERT(intr_get());
  push_off();
  flush_here(start, pages);
  tell_others(vm, start, pages);
  pop_off();
}

void tlb_flush_range(struct vm *vm, uint64 start, uint64 end) {
  uint64 pages = (end - start) / PGSIZE;
  flush(vm, start, pages > PAGES_MOST ? ALL : pages);
}

void tlb_flush(struct vm *vm) { flush(vm, 0, ALL); }

void tlb_flush_kernel(void) { flush(NULL, 0, ALL); }

void tlb_code_changed(struct vm *vm) {
  ASSERT(intr_get());
  push_off();
  atomic_or_full(&vm->stale_code, ~hart_bit(this_hart()->id));
  fence_i();
  tell_others(vm, 0, 0);
  pop_off();
}
