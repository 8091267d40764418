// Backtraces.
//
// The symbol table is made by ksyms.py from the linked kernel: a count, then for
// each function, by rising address, its distance from kernel_start and the place
// of its name.  With -fno-omit-frame-pointer, s0 points just above a frame's
// saved return address and saved s0.
#include "debug/backtrace.h"

#include "arch/memlayout.h"
#include "arch/offsets.h"
#include "lib/printf.h"

struct ksym {
  uint32 offset;
  uint32 name;
};

extern const struct {
  uint32 count;
  struct ksym symbols[];
} ksyms;
extern const char ksyms_names[];
extern char kernel_start[], text_end[], kernel_end[];

#define MAX_DEPTH  32

static bool is_text(uint64 pc) { return pc >= (uint64)kernel_start && pc < (uint64)text_end; }

// By halving: the last symbol at or below `offset`.
static const struct ksym *find(uint32 offset) {
  uint32 low = 0, high = ksyms.count;
  while (low < high) {
    uint32 middle = (low + high) / 2;
    if (ksyms.symbols[middle].offset <= offset)
      low = middle + 1;
    else
      high = middle;
  }
  return low > 0 ? &ksyms.symbols[low - 1] : NULL;
}

void symbol_name(uint64 pc, char *out, size_t size) {
  const struct ksym *found = is_text(pc) ? find(pc - (uint64)kernel_start) : NULL;
  if (found != NULL)
    snprintf(out, size, "%s+0x%lx", &ksyms_names[found->name],
             pc - (uint64)kernel_start - found->offset);
  else
    snprintf(out, size, "0x%lx", pc);
}

static void print_place(uint64 pc) {
  char name[80];
  symbol_name(pc, name, sizeof(name));
  printf("  0x%lx %s\n", pc, name);
}

// Frames lie on kernel stacks: those in slots, or the boot stack in the image.
static bool is_frame(uint64 fp, uint64 below) {
  bool mapped = fp > KSTACKS || (fp > (uint64)text_end && fp < (uint64)kernel_end);
  return mapped && fp % 16 == 0 && fp > below && (below == 0 || fp - below <= KSTACK_SIZE);
}

void backtrace(uint64 pc, uint64 fp) {
  print_place(pc);
  uint64 below = 0;
  for (int i = 0; i < MAX_DEPTH && is_frame(fp, below); i++) {
    const uint64 *frame = (const uint64 *)fp;
    uint64 ra = frame[-1];
    if (!is_text(ra)) break;
    print_place(ra - 4);  // the call, not what follows it
    below = fp;
    fp = frame[-2];
  }
}
