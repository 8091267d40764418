// Sv39 page-table entries (privileged specification 4.3.1 and 4.4).
#pragma once

#include "arch/memlayout.h"
#include "lib/types.h"

typedef uint64 pte_t;

#define PTE_V  (1UL << 0)
#define PTE_R  (1UL << 1)
#define PTE_W  (1UL << 2)
#define PTE_X  (1UL << 3)
#define PTE_U  (1UL << 4)
#define PTE_G  (1UL << 5)
#define PTE_A  (1UL << 6)
#define PTE_D  (1UL << 7)
#define PTE_SOFT  (1UL << 8)  // left to software: mm/fault.c, mm/pagetable.c

#define PTES_PER_TABLE  512
#define LEVELS          3     // 2: root, 0: leaf
#define ROOT_LEVEL      (LEVELS - 1)
#define USER_ROOT_PTES  256   // root entries of the user half

static inline pte_t pte_make(uint64 pa, uint64 bits) { return (pa >> PGSHIFT) << 10 | bits; }
static inline uint64 pte_number(pte_t e) { return e << 10 >> 20; }  // of the frame
static inline uint64 pte_pa(pte_t e) { return pte_number(e) << PGSHIFT; }
static inline void *pte_va(pte_t e) { return pa_to_va(pte_pa(e)); }

// Whether an entry ends the walk, rather than leading to another table.
static inline bool pte_is_leaf(pte_t e) { return e & (PTE_R | PTE_X); }

// Bytes that one entry of a table at `level` covers, and va's index in it.
static inline uint64 level_span(int level) { return 1UL << (PGSHIFT + 9 * level); }
static inline uint64 level_index(int level, uint64 va) {
  return va >> (PGSHIFT + 9 * level) & (PTES_PER_TABLE - 1);
}

// The satp value for a root table (Sv39, ASID 0).
static inline uint64 satp_for(const pte_t *root) { return 8UL << 60 | va_to_pa(root) >> PGSHIFT; }

// Fences of this hart's address translation (4.2.1), and of its instruction
// fetch: for all of it, or for one user page.
static inline void sfence_all(void) { asm volatile("sfence.vma" : : : "memory"); }
static inline void sfence_page(uint64 va) { asm volatile("sfence.vma %0" : : "r"(va) : "memory"); }
static inline void fence_i(void) { asm volatile("fence.i" : : : "memory"); }
