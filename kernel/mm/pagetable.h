// Sv39 page tables: how entries are found, made and cleared.  No policy: what an
// address means is mm/vm.c's and mm/fault.c's.
//
// A user table's struct page counts its entries in use (`live`), so that an
// emptied table is found without looking at 512 entries.
//
//   I5  An entry is changed with the vm's lock held exclusively, or while no other
//       hart can know the table, or by one atomic step (pte_replace), of which one
//       of several threads wins.  A step that puts another frame in a frame's place
//       is made with the leaf table's lock held: whoever holds that lock may use the
//       frame that an entry leads to.
//   I6  An entry that is not 0 but lacks PTE_V is on its way out: it exists only
//       between uvm_detach and uvm_sweep, under the vm's exclusive lock.
#pragma once

#include "arch/pte.h"
#include "mm/page.h"

// The lock of the leaf table that holds `pte`.
static inline struct spinlock *pte_lock(const pte_t *pte) { return &page_of(pte)->lock; }

// The entry for a user frame with the rights `prot` (of PTE_R, PTE_W, PTE_X).
// A and D are set from the start, so no hart ever has to, or faults for them.
static inline pte_t user_pte(uint64 pa, uint64 prot) {
  return pte_make(pa, PTE_V | PTE_U | PTE_A | prot | (prot & PTE_W ? PTE_D : 0));
}

// The leaf entry for va (below MAXVA), or NULL where tables are missing.  The
// vm's lock is held, shared or exclusive.
static inline pte_t *walk(pte_t *root, uint64 va) {
  ASSERT(va < MAXVA);
  pte_t e = atomic_load(&root[level_index(2, va)]);
  if (unlikely(e == 0)) return NULL;
  pte_t *middle = pte_va(e);
  e = atomic_load(&middle[level_index(1, va)]);
  if (unlikely(e == 0)) return NULL;
  pte_t *leaf = pte_va(e);
  return &leaf[level_index(0, va)];
}

// The same, making missing tables; NULL when RAM is exhausted.
pte_t *walk_create(pte_t *root, uint64 va);

// Replaces *pte by `new` if it still is `old`.  Returns whether it was.  The frame's
// contents are visible to whoever sees the new entry.
static inline bool pte_replace(pte_t *pte, pte_t old, pte_t new) {
  return atomic_cas_release(pte, &old, new);
}

// Fills a leaf entry if it is empty.  Returns whether it was.  The vm's lock is held.
static inline bool pte_install(pte_t *pte, pte_t entry) {
  if (unlikely(!pte_replace(pte, 0, entry))) return false;
  atomic_add(&page_of(pte)->live, 1);
  return true;
}

// Taking away the user pages in [start, end) (page-aligned):
//
//   vm->lock held exclusively: uvm_detach, a flush, uvm_sweep
//   nothing held:              uvm_free
//
// *out starts as {0}.  uvm_detach cuts off the tables whose span lies in the range, or that
// are left empty, and makes the entries in the others, two leaf tables at most, invalid
// (I6).  out->what says what there was: nothing, so that no flush is needed, pages, or tables, too, which
// a fence of single pages does not cover (privileged specification 4.2.1).  The flush is
// the caller's.  uvm_sweep drops what those two tables lost.  uvm_free drops all that
// the tables cut off refer to, and frees them; no hart knows them any more, so it needs
// no lock, and a long range keeps no other thread of the vm waiting.
enum detached_what { DETACHED_NOTHING, DETACHED_PAGES, DETACHED_TABLES };

struct detached {
  enum detached_what what;
  uint32 tables[ROOT_LEVEL];  // by level: number of the first frame, chained; 0: none
};

void uvm_detach(pte_t *root, uint64 start, uint64 end, struct detached *out);
void uvm_sweep(pte_t *root, uint64 start, uint64 end);
void uvm_free(struct detached *from);

// Sharing all pages of `from` with `to`, a user root without user entries:
//
//   from's vm->lock held exclusively: uvm_share, a flush, uvm_part_pinned if it is due
//
// uvm_share gives pages one more reference each, and makes them writable in neither.
// Returns 0, -ENOMEM, or -EINTR when the caller has been killed; after an error `to` holds
// a part, which uvm_destroy takes back.  The flush is the caller's, after an error, too:
// until it ends, other harts may write, and what they write is in both.  Then
// uvm_part_pinned gives `to` copies of the pages that system calls in other threads have
// pinned, for what arrives there is from's alone, and makes them writable again.  Returns
// 0 or -ENOMEM; after an error it has done the latter for all of them.
struct sharing {  // starts as {0}
  bool lost_write;  // an entry of `from` has lost PTE_W: a flush is needed
  bool pinned;      // uvm_part_pinned is needed, after an error, too
};
int uvm_share(pte_t *from, pte_t *to, struct sharing *what);
int uvm_part_pinned(pte_t *from, pte_t *to);

// A root with the kernel half and no user entries; NULL when RAM is exhausted.
pte_t *uvm_create(void);

// Drops all user pages, and frees every user table and the root.  No hart has it
// loaded.
void uvm_destroy(pte_t *root);
