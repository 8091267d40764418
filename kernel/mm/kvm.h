// The kernel's own half of every page table.
#pragma once

#include "arch/pte.h"

#define KERNEL_RW  (PTE_V | PTE_R | PTE_W | PTE_G | PTE_A | PTE_D)
#define KERNEL_RX  (PTE_V | PTE_R | PTE_X | PTE_G | PTE_A)
#define KERNEL_RO  (PTE_V | PTE_R | PTE_G | PTE_A)

extern pte_t *kernel_root;  // [const after boot] no user entries

// Builds and loads the kernel's page table: text read-execute, constants
// read-only, all else writable and never executable.  After frames_init.
void kvm_init(void);

// Makes the 2 MiB from va on those of the leaf table `table`.  During kvm_init.
void kvm_map_table(uint64 va, const pte_t *table);

// Copies the kernel's root entries into a user root.
void kvm_fill_root(pte_t *root);
