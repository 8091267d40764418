// Kernel stacks: see mm/kstack.h.
//
// Locks: none.  A slot's entries are written once, by the thread that has the slot.
#include "mm/kstack.h"

#include "arch/devtree.h"
#include "arch/offsets.h"
#include "arch/pte.h"
#include "kernel/atomic.h"
#include "lib/assert.h"
#include "mm/kalloc.h"
#include "mm/kvm.h"
#include "mm/tlb.h"

#define SLOTS       (NPROC + NCPU)
#define SLOT_PTES   (KSTACK_SLOT / PGSIZE)
#define STACK_PTES  (KSTACK_SIZE / PGSIZE)
#define TABLES      ((SLOTS * SLOT_PTES + PTES_PER_TABLE - 1) / PTES_PER_TABLE)

_Static_assert(STACK_PTES == KSTACK_FRAMES, "two frames make a stack");

// The leaf tables, one after the other, so that a slot's entries are found by
// indexing.
static pte_t ptes[TABLES * PTES_PER_TABLE] ALIGNED(PGSIZE);

static pte_t *entries(uint32 slot) { return &ptes[slot * SLOT_PTES + (SLOT_PTES - STACK_PTES)]; }

// Gives a slot its frames.  Both are there before the first entry is valid, so that no
// failure has to take one back.
static bool map(uint32 slot) {
  pte_t *entry = entries(slot);
  void *lower = kalloc(FRAME_KSTACK);
  if (lower == NULL) return false;
  void *upper = kalloc(FRAME_KSTACK);
  if (upper == NULL) {
    kfree(lower);
    return false;
  }
  atomic_store(&entry[0], pte_make(va_to_pa(lower), KERNEL_RW));
  atomic_store(&entry[1], pte_make(va_to_pa(upper), KERNEL_RW));
  return true;
}

bool kstack_get(uint32 slot, struct kstack *out) {
  ASSERT(slot < SLOTS);
  pte_t *entry = entries(slot);
  if (*entry == 0) {
    if (!map(slot)) return false;
    tlb_flush_kernel();
  }
  out->top = KSTACKS + (slot + 1UL) * KSTACK_SLOT;
  out->top_alias = (char *)pte_va(entry[STACK_PTES - 1]) + PGSIZE;
  return true;
}

static void map_at_boot(uint32 slot) {
  if (!map(slot)) panic("too little memory for the kernel's first stacks");
}

void kstack_init(void) {
  for (uint64 i = 0; i < TABLES; i++)
    kvm_map_table(KSTACKS + i * level_span(1), &ptes[i * PTES_PER_TABLE]);
  for (uint32 id = 0; id < NCPU; id++)
    if (machine.harts & hart_bit(id)) map_at_boot(kstack_of_hart(id));
  map_at_boot(kstack_of_process(0));
}

bool kstack_is_mapped(uint64 va) {
  if (va < KSTACKS || va >= KSTACKS + SLOTS * KSTACK_SLOT) return false;
  return atomic_load(&ptes[(va - KSTACKS) / PGSIZE]) != 0;
}
