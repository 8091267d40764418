// The kernel's page table.
//
// Everything lies in the direct map; the image within it is mapped page by page
// with its own rights, the rest of RAM with the largest leaves that fit.  The
// tables never change after boot, save the leaf tables of the kernel stacks
// (mm/kstack.c).
#include "mm/kvm.h"

#include "arch/csr.h"
#include "arch/devtree.h"
#include "lib/assert.h"
#include "mm/kalloc.h"
#include "mm/kstack.h"

extern char kernel_start[], text_end[], rodata_end[];  // kernel.ld

pte_t *kernel_root;
static uint32 root_used;  // [const after boot] entries of the direct map in use

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

void kvm_map_table(uint64 va, const pte_t *table) {
  pte_t *entry = &kernel_root[level_index(2, va)];
  if (*entry == 0) *entry = pte_make(va_to_pa(boot_table_alloc()), PTE_V);
  pte_t *middle = pte_va(*entry);
  middle[level_index(1, va)] = pte_make(va_to_pa(table), PTE_V);
}

void kvm_init(void) {
  kernel_root = boot_table_alloc();
  for (uint32 i = 0; i < machine.window_count; i++)
    map_direct(PGROUNDDOWN(machine.windows[i].start), PGROUNDUP(machine.windows[i].end), KERNEL_RW);
  map_direct(va_to_pa(kernel_start), va_to_pa(text_end), KERNEL_RX);
  map_direct(va_to_pa(text_end), va_to_pa(rodata_end), KERNEL_RO);
  map_direct(va_to_pa(rodata_end), machine.ram_end, KERNEL_RW);
  kstack_init();
  csr_write(satp, satp_for(kernel_root));
  sfence_all();
}

void kvm_fill_root(pte_t *root) {
  for (uint32 i = USER_ROOT_PTES; i < root_used; i++) root[i] = kernel_root[i];
  uint32 stacks = level_index(ROOT_LEVEL, KSTACKS);
  root[stacks] = kernel_root[stacks];
}
