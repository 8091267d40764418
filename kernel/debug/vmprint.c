// Page tables for people.
#include "debug/vmprint.h"

#include "lib/printf.h"
#include "mm/page.h"

static void print_flags(pte_t e, char out[10]) {
  static const char letters[] = "vrwxugad";
  for (int bit = 0; bit < 8; bit++) out[bit] = e >> bit & 1 ? letters[bit] : '-';
  out[8] = 0;
}

static void print_table(const pte_t *table, int level, uint64 base) {
  int entries = level == ROOT_LEVEL ? USER_ROOT_PTES : PTES_PER_TABLE;
  static const char indent[] = " .. .. ..";
  for (int i = 0; i < entries; i++) {
    pte_t e = atomic_load(&table[i]);
    if (e == 0) continue;
    char flags[10];
    print_flags(e, flags);
    uint64 va = base + i * level_span(level);
    printf("%.*s%d: pte 0x%016lx %s pa 0x%lx va 0x%lx\n", 3 * (LEVELS - level), indent, i, e, flags,
           pte_pa(e), va);
    if (!pte_is_leaf(e)) print_table(pte_va(e), level - 1, va);
  }
}

void vmprint(const pte_t *root) {
  printf("page table 0x%lx\n", va_to_pa(root));
  print_table(root, ROOT_LEVEL, 0);
}
