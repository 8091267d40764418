// Circular doubly linked lists with the links inside the objects.
//
// A list head and an unlinked object look the same: a node that points to
// itself.  Nothing here locks; the owner of the list says what protects it.
#pragma once

#include "lib/types.h"

struct list {
  struct list *next, *prev;
};

#define LIST_INIT(name)  { &(name), &(name) }

static inline void list_init(struct list *l) { l->next = l->prev = l; }

// True for an empty list, and for an object that is on no list.
static inline bool list_empty(const struct list *l) { return l->next == l; }

static inline void list_insert_before(struct list *at, struct list *n) {
  n->prev = at->prev;
  n->next = at;
  at->prev->next = n;
  at->prev = n;
}

static inline void list_push_back(struct list *head, struct list *n) {
  list_insert_before(head, n);
}

static inline void list_push_front(struct list *head, struct list *n) {
  list_insert_before(head->next, n);
}

// Takes n off its list, if it is on one; leaves it unlinked.
static inline void list_remove(struct list *n) {
  n->prev->next = n->next;
  n->next->prev = n->prev;
  list_init(n);
}

// Takes off and returns the first node; the list must not be empty.
static inline struct list *list_pop_front(struct list *head) {
  struct list *n = head->next;
  list_remove(n);
  return n;
}

// Moves all of `from` to the end of `to`; leaves `from` empty.
static inline void list_splice_back(struct list *to, struct list *from) {
  if (list_empty(from)) return;
  from->next->prev = to->prev;
  to->prev->next = from->next;
  from->prev->next = to;
  to->prev = from->prev;
  list_init(from);
}

#define list_entry(node, type, member)  container_of(node, type, member)

// Walks a list; `n` is a struct list * and must stay linked during its turn.
#define list_for_each(n, head) \
  for (struct list *n = (head)->next; n != (head); n = n->next)
