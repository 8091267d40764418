// Kernel stacks.
//
// A slot is a piece of address space of twice a stack's size; the upper half gets
// frames when the slot is taken, and loses them when it is given back.  Harts may
// then still hold its old translations, and not only the hart that ran there:
// others follow pointers to what waits on a stack.  So a slot given back is used,
// and is used again only after every hart has flushed its TLB.  That is done for
// all used slots together, when no fresh one is left; with twice as many slots as
// processes it happens once in hundreds of forks.
//
// Locks: KSTACK_FLUSH (sleeping) before KSTACK.
#include "mm/kstack.h"

#include "arch/offsets.h"
#include "arch/pte.h"
#include "kernel/atomic.h"
#include "kernel/param.h"
#include "lib/assert.h"
#include "mm/kalloc.h"
#include "mm/kvm.h"
#include "mm/tlb.h"
#include "sync/sleeplock.h"

#define SLOTS       (2 * NPROC + NCPU)
#define SLOT_PTES   (KSTACK_SLOT / PGSIZE)
#define STACK_PTES  (KSTACK_SIZE / PGSIZE)
#define TABLES      ((SLOTS * SLOT_PTES + PTES_PER_TABLE - 1) / PTES_PER_TABLE)

// The leaf tables, one after the other, so that a slot's entries are found by
// indexing.
static pte_t ptes[TABLES * PTES_PER_TABLE] ALIGNED(PGSIZE);

static struct slots {
  struct spinlock lock;     // KSTACK
  uint32 fresh_count;       // [lock]
  uint32 used_count;        // [lock]
  uint16 fresh[SLOTS];      // [lock] stacks of slot numbers: free, in no TLB
  uint16 used[SLOTS];       // [lock] free, perhaps in some TLB
  struct sleeplock flush;   // KSTACK_FLUSH: who turns used into fresh
} OWN_LINE slots = {.lock = SPINLOCK(KSTACK)};

void kstack_init(void) {
  initsleeplock(&slots.flush, LOCK_KSTACK_FLUSH);
  for (uint32 slot = SLOTS; slot-- > 0;) slots.fresh[slots.fresh_count++] = slot;
  for (uint64 i = 0; i < TABLES; i++)
    kvm_map_table(KSTACKS + i * level_span(1), &ptes[i * PTES_PER_TABLE]);
}

static pte_t *entries(uint32 slot) { return &ptes[slot * SLOT_PTES + (SLOT_PTES - STACK_PTES)]; }

// Frees what frames the slot has.
static void drop_frames(uint32 slot) {
  pte_t *entry = entries(slot);
  for (int i = 0; i < STACK_PTES; i++) {
    pte_t e = entry[i];
    if (e == 0) continue;
    atomic_store(&entry[i], 0);
    kfree(pte_va(e));
  }
}

static bool add_frames(uint32 slot) {
  pte_t *entry = entries(slot);
  for (int i = 0; i < STACK_PTES; i++) {
    void *frame = kalloc(FRAME_KSTACK);
    if (frame == NULL) {
      drop_frames(slot);
      return false;
    }
    ASSERT(entry[i] == 0);
    atomic_store(&entry[i], pte_make(va_to_pa(frame), KERNEL_RW));
  }
  return true;
}

// Makes the slots fresh that are used now; those given back during the flush come
// behind them and stay used.
static void flush_used(void) {
  acquiresleep(&slots.flush);
  acquire(&slots.lock);
  uint32 n = slots.fresh_count == 0 ? slots.used_count : 0;  // or another process was here
  release(&slots.lock);
  if (n > 0) {
    tlb_flush_kernel();
    acquire(&slots.lock);
    for (uint32 i = 0; i < n; i++) slots.fresh[slots.fresh_count++] = slots.used[i];
    slots.used_count -= n;
    for (uint32 i = 0; i < slots.used_count; i++) slots.used[i] = slots.used[n + i];
    release(&slots.lock);
  }
  releasesleep(&slots.flush);
}

// There are more slots than processes, so one that is not in use is fresh or used.
static uint32 take_slot(void) {
  for (;;) {
    acquire(&slots.lock);
    bool any = slots.fresh_count > 0;
    uint32 slot = any ? slots.fresh[--slots.fresh_count] : 0;
    release(&slots.lock);
    if (any) return slot;
    flush_used();
  }
}

bool kstack_alloc(struct kstack *out) {
  out->slot = take_slot();
  if (!add_frames(out->slot)) {
    kstack_free(out->slot);
    return false;
  }
  out->top = KSTACKS + (out->slot + 1UL) * KSTACK_SLOT;
  out->top_alias = (char *)pte_va(entries(out->slot)[STACK_PTES - 1]) + PGSIZE;
  return true;
}

void kstack_free(uint32 slot) {
  ASSERT(slot < SLOTS);
  drop_frames(slot);
  acquire(&slots.lock);
  slots.used[slots.used_count++] = slot;
  release(&slots.lock);
}

bool kstack_is_mapped(uint64 va) {
  if (va < KSTACKS || va >= KSTACKS + SLOTS * KSTACK_SLOT) return false;
  return atomic_load(&ptes[(va - KSTACKS) / PGSIZE]) != 0;
}
