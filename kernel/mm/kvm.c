// The kernel's page table.
//
// Everything lies in the direct map; the image within it is mapped page by page
// with its own rights, the rest of RAM with the largest leaves that fit.  The
// tables never change after boot, save the leaf tables of the kernel stacks.
//
// A stack's old translation may linger in any TLB after kstack_unmap.  That is
// harmless until the slot is used again, and kstack_map makes every hart fence
// before it does (kstack_sync).  Locks: PROCTABLE protects the slots, by proc/.
#include "mm/kvm.h"

#include "arch/csr.h"
#include "arch/devtree.h"
#include "arch/hart.h"
#include "arch/offsets.h"
#include "lib/assert.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "mm/kalloc.h"
#include "mm/page.h"

#define KERNEL_RW   (PTE_V | PTE_R | PTE_W | PTE_G | PTE_A | PTE_D)
#define KERNEL_RX   (PTE_V | PTE_R | PTE_X | PTE_G | PTE_A)
#define KERNEL_RO   (PTE_V | PTE_R | PTE_G | PTE_A)

#define SLOT_PTES   (KSTACK_SLOT / PGSIZE)
#define STACK_PTES  (KSTACK_SIZE / PGSIZE)
#define STACK_TABLES \
  ((KSTACK_SLOTS * SLOT_PTES + PTES_PER_TABLE - 1) / PTES_PER_TABLE)

extern char kernel_start[], text_end[], rodata_end[];  // kernel.ld

pte_t *kernel_root;
static uint32 root_used;  // [const after boot] entries of the direct map in use

// The leaf tables of the stacks, one after the other, so that a slot's entries
// are found by indexing.
static pte_t stack_ptes[STACK_TABLES * PTES_PER_TABLE] ALIGNED(PGSIZE);
static uint64 stack_epoch;          // [atomic] mappings made so far
static uint64 epoch_seen[NCPU];     // [hart]

// Boot only: no memory for the kernel's own tables means no kernel.
static pte_t *boot_table_alloc(void) {
  pte_t *table = kalloc_zeroed(FRAME_OTHER);
  if (table == NULL) panic("too little memory for the kernel's page table");
  return table;
}

static void map_one(uint64 va, uint64 pa, int leaf_level, uint64 bits) {
  pte_t *table = kernel_root;
  for (int level = ROOT_LEVEL; level > leaf_level; level--) {
    pte_t *entry = &table[level_index(level, va)];
    if (*entry == 0) *entry = pte_make(va_to_pa(boot_table_alloc()), PTE_V);
    table = pte_va(*entry);
  }
  table[level_index(leaf_level, va)] = pte_make(pa, bits);
}

// Maps physical [start, end) at its direct-map address.
static void map_direct(uint64 start, uint64 end, uint64 bits) {
  for (uint64 pa = start; pa < end;) {
    int level = ROOT_LEVEL;
    while (level > 0 && (pa % level_span(level) != 0 || end - pa < level_span(level))) level--;
    map_one(DIRECT_MAP + pa, pa, level, bits);
    pa += level_span(level);
  }
  uint32 last = level_index(ROOT_LEVEL, DIRECT_MAP + end - 1);
  if (last >= root_used) root_used = last + 1;
}

static void map_stack_tables(void) {
  for (uint64 i = 0; i < STACK_TABLES; i++) {
    uint64 va = KSTACKS + i * level_span(1);
    pte_t *root_entry = &kernel_root[level_index(2, va)];
    if (*root_entry == 0) *root_entry = pte_make(va_to_pa(boot_table_alloc()), PTE_V);
    pte_t *middle = pte_va(*root_entry);
    middle[level_index(1, va)] = pte_make(va_to_pa(&stack_ptes[i * PTES_PER_TABLE]), PTE_V);
  }
}

void kvm_init(void) {
  kernel_root = boot_table_alloc();
  map_direct(FINISHER, FINISHER + PGSIZE, KERNEL_RW);
  map_direct(CLINT, CLINT + CLINT_SIZE, KERNEL_RW);
  map_direct(PLIC, PLIC + PLIC_SIZE, KERNEL_RW);
  map_direct(UART0, UART0 + PGSIZE, KERNEL_RW);
  map_direct(VIRTIO0, VIRTIO0 + VIRTIO_SLOTS * VIRTIO_SIZE, KERNEL_RW);
  map_direct(va_to_pa(kernel_start), va_to_pa(text_end), KERNEL_RX);
  map_direct(va_to_pa(text_end), va_to_pa(rodata_end), KERNEL_RO);
  map_direct(va_to_pa(rodata_end), machine.ram_end, KERNEL_RW);
  map_stack_tables();
  csr_write(satp, satp_for(kernel_root));
  sfence_all();
}

void kvm_fill_root(pte_t *root) {
  for (uint32 i = USER_ROOT_PTES; i < root_used; i++) root[i] = kernel_root[i];
  uint32 stacks = level_index(ROOT_LEVEL, KSTACKS);
  root[stacks] = kernel_root[stacks];
}

uint64 kstack_top(uint32 slot) { return KSTACKS + (slot + 1UL) * KSTACK_SLOT; }

static pte_t *stack_entries(uint32 slot) {
  ASSERT(slot < KSTACK_SLOTS);
  return &stack_ptes[slot * SLOT_PTES + (SLOT_PTES - STACK_PTES)];
}

void *kstack_map(uint32 slot) {
  pte_t *entry = stack_entries(slot);
  for (int i = 0; i < STACK_PTES; i++) {
    void *frame = kalloc(FRAME_KSTACK);
    if (frame == NULL) {
      kstack_unmap(slot);
      return NULL;
    }
    ASSERT(entry[i] == 0);
    atomic_store(&entry[i], pte_make(va_to_pa(frame), KERNEL_RW));
  }
  atomic_add_acq_rel(&stack_epoch, 1);
  return (char *)pte_va(entry[STACK_PTES - 1]) + PGSIZE;
}

void kstack_unmap(uint32 slot) {
  pte_t *entry = stack_entries(slot);
  for (int i = 0; i < STACK_PTES; i++) {
    pte_t e = entry[i];
    if (e == 0) continue;
    atomic_store(&entry[i], 0);
    kfree(pte_va(e));
  }
}

void kstack_sync(void) {
  uint64 now = atomic_load_acquire(&stack_epoch);
  uint64 *seen = &epoch_seen[this_hart()->id];
  if (*seen == now) return;
  *seen = now;
  sfence_all();
}
