// Sv39 user page tables.  All walks step over a missing table as a whole, and a
// walk over everything stops when it has met all live entries of a table.
#include "mm/pagetable.h"

#include "lib/errno.h"
#include "lib/string.h"
#include "mm/kalloc.h"
#include "mm/kvm.h"

pte_t *walk(pte_t *root, uint64 va) {
  ASSERT(va < MAXVA);
  pte_t e = atomic_load(&root[level_index(2, va)]);
  if (unlikely(e == 0)) return NULL;
  pte_t *middle = pte_va(e);
  e = atomic_load(&middle[level_index(1, va)]);
  if (unlikely(e == 0)) return NULL;
  pte_t *leaf = pte_va(e);
  return &leaf[level_index(0, va)];
}

static pte_t *table_create(void) {
  pte_t *table = kalloc_zeroed(FRAME_PAGETABLE);
  if (table == NULL) return NULL;
  struct page *pg = page_of(table);
  pg->live = 0;
  initlock(&pg->lock, LOCK_LEAF);
  return table;
}

// The table that `entry` leads to, made if there is none.  Of two threads that
// both find none, one wins and the other frees what it made.
static pte_t *table_below(pte_t *entry) {
  pte_t e = atomic_load(entry);
  if (e != 0) return pte_va(e);
  pte_t *table = table_create();
  if (table == NULL) return NULL;
  if (atomic_cas(entry, 0, pte_make(va_to_pa(table), PTE_V))) {
    atomic_add(&page_of(entry)->live, 1);
    return table;
  }
  kfree(table);
  return pte_va(atomic_load(entry));
}

pte_t *walk_create(pte_t *root, uint64 va) {
  pte_t *table = root;
  ASSERT(va < MAXVA);
  for (int level = ROOT_LEVEL; level > 0; level--) {
    table = table_below(&table[level_index(level, va)]);
    if (table == NULL) return NULL;
  }
  return &table[level_index(0, va)];
}

void pte_install(pte_t *pte, pte_t entry) {
  DEBUG_ASSERT(holding(pte_lock(pte)) && *pte == 0);
  atomic_store_release(pte, entry);
  page_of(pte)->live++;
}

// Returns how many entries it made invalid.  A part of a table's span is looked
// at entry by entry; a whole one is cut off above, and *cut set.
static uint32 zap_table(pte_t *table, int level, uint64 start, uint64 end, bool *cut) {
  uint32 zapped = 0;
  uint64 span = level_span(level);
  for (uint64 va = start, next; va < end; va = next) {
    next = MIN(end, (va | (span - 1)) + 1);
    pte_t *entry = &table[level_index(level, va)];
    if (*entry == 0) continue;
    bool whole = next - va == span;
    if (!whole) {
      pte_t *below = pte_va(*entry);
      whole = zap_table(below, level - 1, va, next, cut) == page_of(below)->live;
    }
    if (whole) {
      *cut |= level > 0;
      atomic_store(entry, *entry & ~PTE_V);
      zapped++;
    }
  }
  return zapped;
}

// Drops all that a table refers to, and the table.
static void destroy_table(pte_t *table, int level) {
  uint32 live = page_of(table)->live;
  for (pte_t *entry = table; live > 0; entry++) {
    if (*entry == 0) continue;
    if (level > 0)
      destroy_table(pte_va(*entry), level - 1);
    else
      kfree(pte_va(*entry));
    live--;
  }
  kfree(table);
}

static void sweep_table(pte_t *table, int level, uint64 start, uint64 end) {
  uint64 span = level_span(level);
  struct page *pg = page_of(table);
  for (uint64 va = start, next; va < end; va = next) {
    next = MIN(end, (va | (span - 1)) + 1);
    pte_t *entry = &table[level_index(level, va)];
    pte_t e = *entry;
    if (e == 0) continue;
    if (e & PTE_V) {
      ASSERT(level > 0);
      sweep_table(pte_va(e), level - 1, va, next);
      continue;
    }
    if (level > 0)
      destroy_table(pte_va(e), level - 1);
    else
      kfree(pte_va(e));
    *entry = 0;
    pg->live--;
  }
}

bool uvm_zap(pte_t *root, uint64 start, uint64 end) {
  bool cut = false;
  ASSERT(start <= end && end <= MAXVA);
  zap_table(root, ROOT_LEVEL, start, end, &cut);
  return cut;
}

void uvm_sweep(pte_t *root, uint64 start, uint64 end) {
  sweep_table(root, ROOT_LEVEL, start, end);
}

// One leaf table's worth of pages.  The reference is taken before the entry that
// stands for it appears.
static void share_leaf(pte_t *from, pte_t *to, bool *lost_write) {
  uint32 live = page_of(from)->live;
  page_of(to)->live = live;
  for (; live > 0; from++, to++) {
    pte_t e = *from;
    if (e == 0) continue;
    page_get(page_of_pa(pte_pa(e)));
    if (e & PTE_W) {
      e &= ~PTE_W;
      atomic_store(from, e);
      *lost_write = true;
    }
    *to = e;
    live--;
  }
}

static int share_table(pte_t *from, pte_t *to, int level, bool *lost_write) {
  uint32 live = page_of(from)->live;
  struct page *pg = page_of(to);
  for (int i = 0; live > 0; i++) {
    if (from[i] == 0) continue;
    live--;
    pte_t *below = table_create();
    if (below == NULL) return -ENOMEM;
    to[i] = pte_make(va_to_pa(below), PTE_V);
    pg->live++;
    if (level == 1) {
      share_leaf(pte_va(from[i]), below, lost_write);
    } else {
      int err = share_table(pte_va(from[i]), below, level - 1, lost_write);
      if (err) return err;
    }
  }
  return 0;
}

int uvm_share(pte_t *from, pte_t *to, bool *lost_write) {
  return share_table(from, to, ROOT_LEVEL, lost_write);
}

pte_t *uvm_create(void) {
  pte_t *root = table_create();
  if (root != NULL) kvm_fill_root(root);
  return root;
}

void uvm_destroy(pte_t *root) { destroy_table(root, ROOT_LEVEL); }
