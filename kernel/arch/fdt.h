// Reading a flattened device tree (Devicetree Specification 0.4, chapter 5) where it lies.
//
// A struct fdt walks the nodes in the order in which they are written, a parent before its
// children.  Nothing is copied: names and properties point into the tree.  No locks, no
// allocation, no state besides the caller's.
#pragma once

#include "lib/types.h"

#define FDT_DEPTH  8  // nodes nested deeper are passed over

struct fdt_node {
  const char *name;
  int depth;                  // 0: the root
  const uint32 *properties;
  uint32 address_cells;       // of its parent: the form of its reg
  uint32 size_cells;
  uint32 interrupt_parent;    // phandle, its own or the next one's above it
};

struct fdt {
  const char *strings;
  const uint32 *at;
  int depth;
  struct {
    uint32 address_cells, size_cells, interrupt_parent;
  } level[FDT_DEPTH];         // what holds for the children of the node at that depth
};

struct fdt_value {
  const void *data;
  uint32 length;  // bytes
};

// Begins at the root of the tree at `tree`.  False where there is no device tree.
bool fdt_open(struct fdt *fdt, const void *tree);

// Bytes of the whole tree.
uint32 fdt_size(const void *tree);

// The next node.  False after the last.
bool fdt_next(struct fdt *fdt, struct fdt_node *out);

// A property of a node.  False, and no length, if it has none of that name.
bool fdt_get(const struct fdt *fdt, const struct fdt_node *node, const char *name,
             struct fdt_value *out);

// Cell i of a value, 0 beyond its end; and the first cell of a property, or `otherwise`.
uint32 fdt_cell(const struct fdt_value *value, uint32 i);
uint32 fdt_number(const struct fdt *fdt, const struct fdt_node *node, const char *name,
                  uint32 otherwise);

// Entry i of a node's reg.  False if there are not so many.
bool fdt_reg(const struct fdt *fdt, const struct fdt_node *node, uint32 i, uint64 *start,
             uint64 *size);

// Whether one of the strings of property `name` is `text`.
bool fdt_has(const struct fdt *fdt, const struct fdt_node *node, const char *name,
             const char *text);
