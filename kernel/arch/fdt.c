// The flattened device tree's format: see arch/fdt.h.
#include "arch/fdt.h"

#include "lib/string.h"

#define MAGIC       0xd00dfeed
#define BEGIN_NODE  1
#define END_NODE    2
#define PROPERTY    3
#define NOP         4

// Words of the header.
enum { HEADER_MAGIC, HEADER_SIZE, HEADER_STRUCTURE, HEADER_STRINGS };

// All numbers in the tree are big-endian.
static uint32 be32(const void *p) {
  const uint8 *b = p;
  return (uint32)b[0] << 24 | b[1] << 16 | b[2] << 8 | b[3];
}

static const uint32 *after(const uint32 *at, uint32 bytes) { return at + (bytes + 3) / 4; }

uint32 fdt_size(const void *tree) { return be32((const uint32 *)tree + HEADER_SIZE); }

bool fdt_open(struct fdt *fdt, const void *tree) {
  const uint32 *header = tree;
  if (be32(&header[HEADER_MAGIC]) != MAGIC) return false;
  memset(fdt, 0, sizeof(*fdt));
  fdt->at = (const uint32 *)((const char *)tree + be32(&header[HEADER_STRUCTURE]));
  fdt->strings = (const char *)tree + be32(&header[HEADER_STRINGS]);
  fdt->depth = -1;
  return true;
}

// Fills in what node says of its children, and inherits the rest.
static void enter(struct fdt *fdt, struct fdt_node *node) {
  bool root = node->depth == 0;
  node->address_cells = root ? 2 : fdt->level[node->depth - 1].address_cells;
  node->size_cells = root ? 1 : fdt->level[node->depth - 1].size_cells;
  uint32 inherited = root ? 0 : fdt->level[node->depth - 1].interrupt_parent;
  node->interrupt_parent = fdt_number(fdt, node, "interrupt-parent", inherited);
  fdt->level[node->depth].address_cells = fdt_number(fdt, node, "#address-cells", 2);
  fdt->level[node->depth].size_cells = fdt_number(fdt, node, "#size-cells", 1);
  fdt->level[node->depth].interrupt_parent = node->interrupt_parent;
}

bool fdt_next(struct fdt *fdt, struct fdt_node *out) {
  for (;;) {
    uint32 token = be32(fdt->at);
    const uint32 *body = fdt->at + 1;
    if (token == BEGIN_NODE) {
      fdt->depth++;
      fdt->at = after(body, strlen((const char *)body) + 1);
      *out = (struct fdt_node){.name = (const char *)body, .depth = fdt->depth};
      out->properties = fdt->at;
      if (fdt->depth >= FDT_DEPTH) continue;
      enter(fdt, out);
      return true;
    }
    if (token == END_NODE)
      fdt->depth--;
    else if (token == PROPERTY)
      body = after(body + 2, be32(body));
    else if (token != NOP)
      return false;  // the end, or nothing we know
    fdt->at = body;
  }
}

bool fdt_get(const struct fdt *fdt, const struct fdt_node *node, const char *name,
             struct fdt_value *out) {
  const uint32 *at = node->properties;
  for (;; at++) {
    if (be32(at) == NOP) continue;
    if (be32(at) != PROPERTY) break;
    *out = (struct fdt_value){at + 3, be32(at + 1)};
    if (strcmp(fdt->strings + be32(at + 2), name) == 0) return true;
    at = after(at + 3, out->length) - 1;
  }
  *out = (struct fdt_value){at, 0};
  return false;
}

uint32 fdt_cell(const struct fdt_value *value, uint32 i) {
  return i < value->length / 4 ? be32((const uint32 *)value->data + i) : 0;
}

uint32 fdt_number(const struct fdt *fdt, const struct fdt_node *node, const char *name,
                  uint32 otherwise) {
  struct fdt_value value;
  return fdt_get(fdt, node, name, &value) ? fdt_cell(&value, 0) : otherwise;
}

// A number of so many cells, of which the last two are taken.
static uint64 number_at(const struct fdt_value *value, uint32 first, uint32 cells) {
  uint64 n = 0;
  for (uint32 i = first; i < first + cells; i++) n = n << 32 | fdt_cell(value, i);
  return n;
}

bool fdt_reg(const struct fdt *fdt, const struct fdt_node *node, uint32 i, uint64 *start,
             uint64 *size) {
  struct fdt_value reg;
  uint32 each = node->address_cells + node->size_cells;
  if (!fdt_get(fdt, node, "reg", &reg) || reg.length < 4UL * each * (i + 1)) return false;
  *start = number_at(&reg, each * i, node->address_cells);
  *size = number_at(&reg, each * i + node->address_cells, node->size_cells);
  return true;
}

bool fdt_has(const struct fdt *fdt, const struct fdt_node *node, const char *name,
             const char *text) {
  struct fdt_value value;
  if (!fdt_get(fdt, node, name, &value)) return false;
  const char *s = value.data, *end = s + value.length;
  for (; s < end; s += strlen(s) + 1)
    if (strcmp(s, text) == 0) return true;
  return false;
}
