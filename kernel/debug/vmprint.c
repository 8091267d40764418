// Page tables for people.  Nothing is printed with the vm's lock held: the port may
// take long.  Lock: that of the vm, shared, for one piece at a time.
#include "debug/vmprint.h"

#include "lib/errno.h"
#include "lib/printf.h"
#include "mm/page.h"
#include "mm/vm.h"
#include "sync/waitq.h"

#define PIECE       16    // rows copied with the lock held
#define LOOKS_MOST  4096  // entries looked at for them

#define USER_END  (USER_ROOT_PTES * level_span(ROOT_LEVEL))

// An entry, or where to look for the next one: entries come in the order of their
// addresses, one that leads to a table before those in the table.
struct row {
  uint64 va;
  pte_t entry;
  int level;
};

// The place after what a row covers; its address may lie in the middle (see look).
static struct row behind(struct row at) {
  uint64 span = level_span(at.level);
  at.va = (at.va & ~(span - 1)) + span;
  while (at.level < ROOT_LEVEL && at.va % level_span(at.level + 1) == 0) at.level++;
  return at;
}

// The entry at a place; if a table on the way there is missing (it may have gone since
// the last piece), the empty entry in its stead.
static struct row look(const pte_t *root, struct row at) {
  const pte_t *table = root;
  for (int level = ROOT_LEVEL;; level--) {
    pte_t e = atomic_load(&table[level_index(level, at.va)]);
    if (level == at.level || e == 0 || pte_is_leaf(e)) return (struct row){at.va, e, level};
    table = pte_va(e);
  }
}

// Copies the rows of one piece, from *at on, which moves behind them.  Returns how many.
static int copy_piece(struct vm *vm, struct row *at, struct row *rows) {
  int n = 0;
  rwlock_share(&vm->lock);
  for (int looks = 0; looks < LOOKS_MOST && n < PIECE && at->va < USER_END; looks++) {
    struct row found = look(vm->root, *at);
    if (found.entry != 0) rows[n++] = found;
    if (found.entry == 0 || pte_is_leaf(found.entry))
      *at = behind(found);
    else
      at->level = found.level - 1;
  }
  rwlock_unshare(&vm->lock);
  return n;
}

static void print_flags(pte_t e, char out[10]) {
  static const char letters[] = "vrwxugad";
  for (int bit = 0; bit < 8; bit++) out[bit] = e >> bit & 1 ? letters[bit] : '-';
  out[8] = 0;
}

static int print_row(const struct row *row) {
  static const char indent[] = " .. .. ..";
  char flags[10];
  print_flags(row->entry, flags);
  return printf_blocking("%.*s%d: pte 0x%016lx %s pa 0x%lx va 0x%lx\n",
                         3 * (LEVELS - row->level), indent,
                         (int)level_index(row->level, row->va), row->entry, flags,
                         pte_pa(row->entry), row->va);
}

int vmprint(struct vm *vm) {
  struct row at = {.va = 0, .level = ROOT_LEVEL}, rows[PIECE];
  int err = printf_blocking("page table 0x%lx\n", va_to_pa(vm->root));
  while (err == 0 && at.va < USER_END) {
    int n = copy_piece(vm, &at, rows);
    for (int i = 0; i < n && err == 0; i++) err = print_row(&rows[i]);
    if (err == 0 && kill_pending()) err = -EINTR;
  }
  return err;
}
