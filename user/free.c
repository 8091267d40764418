// free: what memory is used for, and what the memory paths have done since boot.
#include "kernel/types.h"
#include "kernel/memstat.h"
#include "kernel/riscv.h"
#include "user/user.h"

static void frames(const char *kind, uint64 n) {
  printf("%-20s %9ld %11ld\n", kind, n, n * (PGSIZE / 1024));
}

static void events(const char *kind, uint64 n) { printf("%-20s %9ld\n", kind, n); }

int main(void) {
  struct memstat m;
  if (memstat(&m) < 0) {
    fprintf(2, "free: cannot get the figures\n");
    return 1;
  }
  printf("memory                  frames         KiB\n");
  frames("total", m.total);
  frames("free", m.free);
  frames("kept ready", m.kept);
  frames("user pages", m.user);
  frames("page tables", m.pagetable);
  frames("kernel stacks", m.kstack);
  frames("kernel objects", m.slab);
  frames("pipes", m.pipe);
  frames("other", m.other);
  printf("events since boot        count\n");
  events("faults", m.faults);
  events("pages first touched", m.zero_fills);
  events("pages copied", m.cow_copies);
  events("pages taken back", m.cow_reuses);
  events("spurious faults", m.spurious);
  events("shootdowns", m.shootdowns);
  return 0;
}
