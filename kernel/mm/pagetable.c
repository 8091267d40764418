// Sv39 user page tables.  All walks step over a missing table as a whole, and a
// walk over everything stops when it has met all live entries of a table.
#include "mm/pagetable.h"

#include "lib/errno.h"
#include "lib/string.h"
#include "mm/kalloc.h"
#include "mm/kvm.h"
#include "sync/waitq.h"

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
  if (atomic_cas_release(entry, &e, pte_make(va_to_pa(table), PTE_V))) {
    atomic_add(&page_of(entry)->live, 1);
    return table;
  }
  kfree(table);
  return pte_va(e);
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

// How many of n entries are not 0.
static uint32 count_live(const pte_t *entry, uint64 n) {
  uint32 live = 0;
  for (const pte_t *end = entry + n; entry < end; entry++) live += *entry != 0;
  return live;
}

// How many entries a walk over n entries from number `first` on can meet at most: when
// it has, the rest is empty.  Most of what a sparse program gives back is.  The entries
// below are counted if they are fewer.
static uint32 live_from(const pte_t *table, uint64 first, uint64 n) {
  uint32 live = page_of(table)->live;
  return first < n ? live - count_live(table, first) : live;
}

// Makes n entries of a leaf table invalid, from number `first` on.  Returns how many
// there were.
static uint32 clear_leaf(pte_t *table, uint64 first, uint64 n) {
  uint32 most = live_from(table, first, n), met = 0;
  for (pte_t *entry = table + first, *end = entry + n; entry < end && met < most; entry++) {
    if (*entry == 0) continue;
    atomic_store(entry, *entry & ~PTE_V);
    met++;
  }
  return met;
}

// Cuts off the table of the level below that an entry leads to.
static void cut(pte_t *entry, int below, struct detached *out) {
  struct page *pg = page_of(pte_va(*entry));
  atomic_store(entry, 0);
  page_of(entry)->live--;
  pg->next_table = out->tables[below];
  out->tables[below] = page_number(pg);
  out->what = DETACHED_TABLES;
}

// A part of a table's span is looked at entry by entry; a whole one is cut off above.
// Returns whether the table is left without a valid entry.
static bool detach_table(pte_t *table, int level, uint64 start, uint64 end,
                         struct detached *out) {
  struct page *pg = page_of(table);
  if (level == 0) {
    uint32 met = clear_leaf(table, level_index(0, start), (end - start) >> PGSHIFT);
    if (met > 0 && out->what == DETACHED_NOTHING) out->what = DETACHED_PAGES;
    return met == pg->live;
  }
  uint64 span = level_span(level);
  uint32 unseen = live_from(table, level_index(level, start), (end - start) / span);
  for (uint64 va = start, next; va < end && unseen > 0; va = next) {
    next = MIN(end, (va | (span - 1)) + 1);
    pte_t *entry = &table[level_index(level, va)];
    if (*entry == 0) continue;
    unseen--;
    if (next - va == span || detach_table(pte_va(*entry), level - 1, va, next, out))
      cut(entry, level - 1, out);
  }
  return pg->live == 0;
}

// A walk over a whole table ends when it has met all live entries.  Of the others it may
// meet so many before; one more, and `live` is wrong, which is a bug of ours.
static uint32 holes_of(uint32 live) {
  ASSERT(live <= PTES_PER_TABLE);
  return PTES_PER_TABLE - live;
}

static inline void meet_hole(uint32 *holes) {
  ASSERT(*holes > 0);
  --*holes;
}

// Drops what a leaf table's entries refer to, and the table.
static void destroy_leaf(pte_t *table) {
  struct page *const origin = pages_origin;
  uint32 live = page_of(table)->live, holes = holes_of(live);
  struct frame_list *list = drops_begin();
  for (const pte_t *entry = table; live > 0; entry++) {
    if (*entry == 0) {
      meet_hole(&holes);
      continue;
    }
    live--;
    page_drop_into(&list, &origin[pte_number(*entry)]);
  }
  drops_end_with(list, page_of(table));
}

// Drops all that a table refers to, and the table.
static void destroy_table(pte_t *table, int level) {
  if (level == 0) {
    destroy_leaf(table);
    return;
  }
  uint32 live = page_of(table)->live, holes = holes_of(live);
  for (pte_t *entry = table; live > 0; entry++) {
    if (*entry == 0) {
      meet_hole(&holes);
      continue;
    }
    live--;
    destroy_table(pte_va(*entry), level - 1);
  }
  kfree(table);
}

// The part of one leaf table, if it is still there.
static void sweep_leaf(pte_t *root, uint64 start, uint64 end) {
  pte_t *entry = walk(root, start);
  if (entry == NULL) return;
  struct page *pg = page_of(entry);
  uint64 first = level_index(0, start), n = (end - start) >> PGSHIFT;
  uint32 unseen = live_from(entry - first, first, n);
  struct frame_list *list = drops_begin();
  for (const pte_t *stop = entry + n; entry < stop && unseen > 0; entry++) {
    pte_t e = *entry;
    if (e == 0) continue;
    ASSERT(!(e & PTE_V));
    unseen--;
    *entry = 0;
    pg->live--;
    page_drop_into(&list, page_of_pa(pte_pa(e)));
  }
  drops_end(list);
}

void uvm_detach(pte_t *root, uint64 start, uint64 end, struct detached *out) {
  ASSERT(start <= end && end <= MAXVA);
  detach_table(root, ROOT_LEVEL, start, end, out);
}

void uvm_sweep(pte_t *root, uint64 start, uint64 end) {
  uint64 span = level_span(1), next = MIN(end, (start | (span - 1)) + 1);
  uint64 last = MAX(next, end & ~(span - 1));
  if (start < next) sweep_leaf(root, start, next);
  if (last < end) sweep_leaf(root, last, end);
}

void uvm_free(struct detached *from) {
  for (int level = 0; level < ROOT_LEVEL; level++)
    while (from->tables[level] != 0) {
      struct page *pg = &pages_origin[from->tables[level]];
      from->tables[level] = pg->next_table;
      destroy_table(page_va(pg), level);
    }
}

#define PTE_PINNED  PTE_SOFT  // in the child's table: uvm_part_pinned has to make a copy

// One leaf table's worth of pages.  The reference is taken before the entry that
// stands for it appears.  A writable page has one reference, and one for each pin (I3, I4).
static void share_leaf(pte_t *from, pte_t *to, struct sharing *what) {
  struct page *const origin = pages_origin;
  uint32 live = page_of(from)->live, holes = holes_of(live);
  page_of(to)->live = live;
  for (; live > 0; from++, to++) {
    pte_t e = *from;
    if (e == 0) {
      meet_hole(&holes);
      continue;
    }
    live--;
    struct page *pg = &origin[pte_number(e)];
    if (!(e & PTE_W)) {
      page_get(pg);
      *to = e;
      continue;
    }
    bool pinned = !page_get_second(pg);
    e &= ~PTE_W;
    atomic_store(from, e);
    what->lost_write = true;
    *to = e;
    if (unlikely(pinned)) {
      *to = e | PTE_PINNED;
      what->pinned = true;
    }
  }
}

static int share_table(pte_t *from, pte_t *to, int level, struct sharing *what) {
  uint32 live = page_of(from)->live, holes = holes_of(live);
  struct page *pg = page_of(to);
  for (int i = 0; live > 0; i++) {
    if (from[i] == 0) {
      meet_hole(&holes);
      continue;
    }
    live--;
    if (kill_pending()) return -EINTR;
    pte_t *below = table_create();
    if (below == NULL) return -ENOMEM;
    to[i] = pte_make(va_to_pa(below), PTE_V);
    pg->live++;
    if (level == 1) {
      share_leaf(pte_va(from[i]), below, what);
      continue;
    }
    int err = share_table(pte_va(from[i]), below, level - 1, what);
    if (err) return err;
  }
  return 0;
}

int uvm_share(pte_t *from, pte_t *to, struct sharing *what) {
  return share_table(from, to, ROOT_LEVEL, what);
}

// Gives the parent its right to write back, and the child a copy.  Without memory the child
// keeps its reference, until it is dropped as a whole.
static int part(pte_t *from, pte_t *to) {
  void *frame = kalloc(FRAME_USER);
  if (frame != NULL) {
    struct page *pg = page_of_pa(pte_pa(*to));
    page_copy(frame, page_va(pg));
    *to = user_pte(va_to_pa(frame), (*from & (PTE_R | PTE_X)) | PTE_W);
    page_put(pg);
  }
  atomic_store(from, *from | PTE_W);
  return frame != NULL ? 0 : -ENOMEM;
}

static int part_table(pte_t *from, pte_t *to, int level) {
  int result = 0;
  uint32 live = page_of(to)->live, holes = holes_of(live);
  for (; live > 0; from++, to++) {
    if (*to == 0) {
      meet_hole(&holes);
      continue;
    }
    live--;
    int err = 0;
    if (level > 0)
      err = part_table(pte_va(*from), pte_va(*to), level - 1);
    else if (*to & PTE_PINNED)
      err = part(from, to);
    if (err) result = err;
  }
  return result;
}

int uvm_part_pinned(pte_t *from, pte_t *to) { return part_table(from, to, ROOT_LEVEL); }

pte_t *uvm_create(void) {
  pte_t *root = table_create();
  if (root != NULL) kvm_fill_root(root);
  return root;
}

void uvm_destroy(pte_t *root) { destroy_table(root, ROOT_LEVEL); }
