// The flattened device tree, as far as this kernel asks: memory, harts, clock,
// initial disk and boot options.  Read before there is an allocator; nothing of
// the tree is kept but what struct machine holds.
#include "arch/devtree.h"

#include "arch/memlayout.h"
#include "lib/errno.h"
#include "lib/string.h"

#define FDT_MAGIC       0xd00dfeed
#define FDT_BEGIN_NODE  1
#define FDT_END_NODE    2
#define FDT_PROP        3
#define FDT_NOP         4

struct machine machine;

// All numbers in the tree are big-endian.
static uint32 be32(const void *p) {
  const uint8 *b = p;
  return (uint32)b[0] << 24 | b[1] << 16 | b[2] << 8 | b[3];
}

// A number of one or two 32-bit cells.
static uint64 be_cells(const void *p, uint32 cells) {
  const uint32 *w = p;
  return cells == 2 ? (uint64)be32(w) << 32 | be32(w + 1) : be32(w);
}

struct property {
  const char *name;
  const uint32 *value;
  uint32 length;  // bytes
};

// Which of the nodes we care about the walk is in.
enum place { ELSEWHERE, ROOT, MEMORY, CPUS, ONE_CPU, CHOSEN };

struct walk {
  int depth;
  enum place place[3];  // by depth, deeper ones are ELSEWHERE
  uint32 address_cells, size_cells;  // the root's
};

static bool starts_with(const char *s, const char *prefix) {
  return strncmp(s, prefix, strlen(prefix)) == 0;
}

static enum place place_of(const struct walk *w, const char *node) {
  if (w->depth == 0) return ROOT;
  if (w->depth == 1 && starts_with(node, "memory@")) return MEMORY;
  if (w->depth == 1 && strcmp(node, "cpus") == 0) return CPUS;
  if (w->depth == 1 && strcmp(node, "chosen") == 0) return CHOSEN;
  if (w->depth == 2 && w->place[1] == CPUS && starts_with(node, "cpu@")) return ONE_CPU;
  return ELSEWHERE;
}

static bool is(const struct property *p, const char *name) {
  return strcmp(p->name, name) == 0;
}

static void read_memory(struct walk *w, const struct property *p) {
  if (!is(p, "reg") || machine.ram_end != 0) return;
  if (p->length < 4 * (w->address_cells + w->size_cells)) return;
  machine.ram_start = be_cells(p->value, w->address_cells);
  machine.ram_end = machine.ram_start + be_cells(p->value + w->address_cells, w->size_cells);
}

static void read_chosen(const struct property *p) {
  uint32 cells = p->length / 4;
  if (is(p, "bootargs") && p->length > 0)
    strcpy_padded(machine.options, (const char *)p->value, MIN(p->length, sizeof(machine.options)));
  else if (is(p, "linux,initrd-start"))
    machine.initrd_start = be_cells(p->value, cells);
  else if (is(p, "linux,initrd-end"))
    machine.initrd_end = be_cells(p->value, cells);
}

static void read_property(struct walk *w, const struct property *p) {
  switch (w->depth <= 3 ? w->place[w->depth - 1] : ELSEWHERE) {
    case ROOT:
      if (is(p, "#address-cells")) w->address_cells = be32(p->value);
      if (is(p, "#size-cells")) w->size_cells = be32(p->value);
      break;
    case MEMORY:
      read_memory(w, p);
      break;
    case CPUS:
      if (is(p, "timebase-frequency")) machine.timebase = be32(p->value);
      break;
    case ONE_CPU:
      if (is(p, "reg") && be32(p->value) < NCPU) machine.harts |= hart_bit(be32(p->value));
      break;
    case CHOSEN:
      read_chosen(p);
      break;
    case ELSEWHERE:
      break;
  }
}

int devtree_read(uint64 tree_pa) {
  const char *tree = pa_to_va(tree_pa);
  if (be32(tree) != FDT_MAGIC) return -EINVAL;
  machine.tree_start = tree_pa;
  machine.tree_end = tree_pa + be32(tree + 4);
  const char *at = tree + be32(tree + 8);
  const char *strings = tree + be32(tree + 12);

  struct walk w = {.address_cells = 2, .size_cells = 2};
  for (;;) {
    uint32 token = be32(at);
    at += 4;
    if (token == FDT_BEGIN_NODE) {
      if (w.depth < 3) w.place[w.depth] = place_of(&w, at);
      w.depth++;
      at += (strlen(at) + 4) & ~3UL;
    } else if (token == FDT_END_NODE) {
      w.depth--;
    } else if (token == FDT_PROP) {
      struct property p = {strings + be32(at + 4), (const uint32 *)(at + 8), be32(at)};
      read_property(&w, &p);
      at += 8 + ((p.length + 3) & ~3U);
    } else if (token != FDT_NOP) {
      break;  // FDT_END, or nothing we know
    }
  }
  bool complete = machine.ram_end > machine.ram_start && machine.timebase && machine.harts;
  return complete ? 0 : -EINVAL;
}

bool boot_option(const char *key, char *out, size_t size) {
  size_t n = strlen(key);
  for (const char *s = machine.options; *s;) {
    const char *end = strchr(s, ' ');
    size_t length = end ? (size_t)(end - s) : strlen(s);
    if (length > n && strncmp(s, key, n) == 0 && s[n] == '=') {
      strcpy_padded(out, s + n + 1, MIN(size, length - n));
      return true;
    }
    s += end ? length + 1 : length;
  }
  return false;
}

uint64 boot_number(const char *key) {
  char value[24] = "";
  boot_option(key, value, sizeof(value));
  uint64 n = 0;
  for (const char *c = value; *c >= '0' && *c <= '9'; c++) n = n * 10 + (*c - '0');
  return n;
}
