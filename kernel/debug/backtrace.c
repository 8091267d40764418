// Backtraces.
//
// The symbol table is made by ksyms.py from the linked kernel: a count, then for
// each function, by rising address, its distance from kernel_start and the place
// of its name.  With -fno-omit-frame-pointer, s0 points just above a frame's
// saved return address and saved s0.
#include "debug/backtrace.h"

#include "arch/offsets.h"
#include "arch/trapframe.h"
#include "lib/printf.h"
#include "mm/kstack.h"

struct ksym {
  uint32 offset;
  uint32 name;
};

extern const struct {
  uint32 count;
  struct ksym symbols[];
} ksyms;
extern const char ksyms_names[];
extern char kernel_start[], text_end[];
// arch/entry.S, arch/trap.S
extern char boot_stack_top[], overflow_stack_top[];
extern char trap_vector[], from_kernel[], kerneltrap_returns[];

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

static bool in_image_stack(uint64 va, const char *top) {
  return va < (uint64)top && va >= (uint64)top - KSTACK_SIZE;
}

// Whether the aligned 16 bytes at va lie on a stack of the kernel and can be read.
static bool is_stack(uint64 va) {
  return kstack_is_mapped(va) || in_image_stack(va, boot_stack_top) ||
         in_image_stack(va, overflow_stack_top);
}

// Both words of a frame are in one such piece.
static bool is_frame(uint64 fp, uint64 below) {
  return fp % 16 == 0 && fp > below && is_stack(fp - 16);
}

static const uint64 *words(uint64 fp) { return (const uint64 *)fp; }

// Prints where code was interrupted that had these registers.  Returns the frame to go on
// from, 0 for none: on the ways to and from user mode s0 is the program's.  A function that
// calls no other saves s0 alone, just below fp.
static uint64 interrupted(uint64 pc, uint64 ra, uint64 fp) {
  print_place(pc);
  if (pc >= (uint64)trap_vector && pc < (uint64)from_kernel) return 0;
  bool leaf = is_frame(fp, 0) && !is_text(words(fp)[-1]);
  if (is_text(ra) && (leaf || !is_text(pc))) print_place(ra - 4);
  return leaf ? words(fp)[-1] : fp;
}

static void follow(uint64 fp) {
  uint64 below = 0;
  for (int i = 0; i < MAX_DEPTH && is_frame(fp, below); i++) {
    uint64 ra = words(fp)[-1];
    if (!is_text(ra)) break;
    print_place(ra - 4);  // the call, not what follows it
    below = fp;
    const struct trapframe *tf = (const struct trapframe *)fp;  // kerneltrap's caller's
    if (ra == (uint64)kerneltrap_returns && is_stack((uint64)(tf + 1) - 16))
      fp = interrupted(tf->sepc, tf->ra, tf->s0);
    else
      fp = words(fp)[-2];
  }
}

void backtrace(uint64 pc, uint64 fp) {
  print_place(pc);
  follow(fp);
}

void backtrace_interrupted(uint64 pc, uint64 ra, uint64 fp) { follow(interrupted(pc, ra, fp)); }
