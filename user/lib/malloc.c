// The heap: blocks with their neighbours' sizes, free ones sorted into bins.
//
// A block is a header and what follows it; `size` counts both, is a multiple of
// 16, and its lowest bit says that the block is in use.  `before` is the size of
// the block to the left, so both neighbours are found without a search and free
// blocks never lie side by side.  A piece of heap begins with before == 0 and ends
// with a header in use, so merging stops there.
//
// Bins hold free blocks by size, four to each power of two; a bit in `filled` says
// which are not empty.  A request takes the first block that fits from its own bin
// (looking at a few) or any block from a bin above it.
//
// The heap grows by sbrk, in steps that cost nothing until touched.  A program may
// call sbrk as well: memory that does not follow the last piece starts a new one.
// One lock guards it all, against other threads of the program (lib/heap.h).
#include "user/user.h"

#include "heap.h"
#include "lock.h"

struct block {
  uint64 before;
  uint64 size;
  struct block *next, *prev;  // in a bin; only while free
};

enum {
  HEADER = 2 * sizeof(uint64),
  SMALLEST = sizeof(struct block),
  USED = 1,
  BINS = 64,
  LOOKS = 8,           // blocks of a bin tried before the bins above
  STEP = 64 * 1024,    // least growth of the heap
};

#define LARGEST  (1ul << 30)  // a block that one sbrk can still make room for

static struct block *bins[BINS];
static uint64 filled;
static int heap_lock;
static struct block *last;    // the header that ends the last piece; 0 at first
static struct block *lowest;  // the first block of the first piece

static uint64 size_of(const struct block *b) { return b->size & ~(uint64)USED; }

static struct block *right_of(struct block *b) { return (void *)((char *)b + size_of(b)); }

static struct block *left_of(struct block *b) { return (void *)((char *)b - b->before); }

// The number of the highest bit that is set; v is not 0.
static int top_bit(uint64 v) {
  int n = 0;
  for (int step = 32; step > 0; step /= 2)
    if (v >> step) v >>= step, n += step;
  return n;
}

// Sizes of 32 to 63 come first; beyond the last bin's bound all share it.
static int bin_of(uint64 size) {
  int log = top_bit(size);
  int bin = (log - 5) * 4 + (size >> (log - 2)) % 4;
  return bin < BINS ? bin : BINS - 1;
}

static void bin_insert(struct block *b) {
  int bin = bin_of(b->size);
  b->prev = 0;
  b->next = bins[bin];
  if (b->next) b->next->prev = b;
  bins[bin] = b;
  filled |= 1ul << bin;
}

static void bin_remove(struct block *b) {
  int bin = bin_of(b->size);
  if (b->next) b->next->prev = b->prev;
  if (b->prev)
    b->prev->next = b->next;
  else if ((bins[bin] = b->next) == 0)
    filled &= ~(1ul << bin);
}

// Makes b a free block of this size, together with any free neighbour.
static void release(struct block *b, uint64 size) {
  b->size = size;
  struct block *right = right_of(b);
  if (!(right->size & USED)) {
    bin_remove(right);
    b->size += right->size;
  }
  if (b->before != 0 && !(left_of(b)->size & USED)) {
    struct block *left = left_of(b);
    bin_remove(left);
    left->size += b->size;
    b = left;
  }
  right_of(b)->before = b->size;
  bin_insert(b);
}

// A free block of at least this size, still in its bin; 0 when there is none.
static struct block *find(uint64 size) {
  int bin = bin_of(size);
  int looks = bin == BINS - 1 ? -1 : LOOKS;
  for (struct block *b = bins[bin]; b && looks != 0; b = b->next, looks--)
    if (b->size >= size) return b;
  if (bin == BINS - 1) return 0;
  uint64 above = filled & (~0ul << (bin + 1));
  return above ? bins[top_bit(above & -above)] : 0;
}

// Adds room for a block of this size; 0 or -1.
static int grow(uint64 size) {
  uint64 bytes = (size + HEADER + STEP - 1) / STEP * STEP;
  char *at = sbrk(bytes);
  if (at == SBRK_ERROR) return -1;
  struct block *first = last;
  if (last == 0 || at != (char *)last + HEADER) {
    uint64 skip = -(uint64)at % HEADER;  // a program may leave the break anywhere
    first = (struct block *)(at + skip);
    first->before = 0;
    if (lowest == 0 || first < lowest) lowest = first;
    bytes = (bytes - skip) / HEADER * HEADER - HEADER;
  }
  last = (struct block *)((char *)first + bytes);
  last->size = HEADER | USED;
  release(first, bytes);
  return 0;
}

static void *take(uint64 request) {
  uint64 size = (request + HEADER + 15) / 16 * 16;
  if (size < SMALLEST) size = SMALLEST;
  struct block *b = find(size);
  if (b == 0) {
    if (grow(size + HEADER) < 0) return 0;
    b = find(size);
  }
  bin_remove(b);
  uint64 spare = b->size - size;
  if (spare < SMALLEST) size = b->size;
  b->size = size | USED;
  if (spare >= SMALLEST) {
    struct block *rest = right_of(b);
    rest->before = size;
    release(rest, spare);
  }
  return (char *)b + HEADER;
}

void heap_hold(void) { lock_take(&heap_lock); }

void heap_let_go(void) { lock_give(&heap_lock); }

void *malloc(uint64 request) {
  if (request > LARGEST) return 0;
  heap_hold();
  void *block = take(request);
  heap_let_go();
  return block;
}

// Whether b is a block that take() has given out: a header between the first piece and the
// end of the last, on which its neighbours agree.
static int is_in_use(struct block *b) {
  if ((uint64)b % HEADER != 0 || b < lowest || b >= last) return 0;
  uint64 size = size_of(b);
  if (b->size != (size | USED) || size % HEADER != 0 || size < SMALLEST) return 0;
  if (size > (uint64)((char *)last - (char *)b) || right_of(b)->before != size) return 0;
  return b->before == 0 || (b->before <= (uint64)((char *)b - (char *)lowest) &&
                            size_of(left_of(b)) == b->before);
}

// Ends the process of this thread, without functions that the program may have replaced.
static void stop_program(void) {
  static const char message[] = "free: not a block in use\n";
  raw_call(SYS_write, 2, (long)message, sizeof(message) - 1);
  raw_call(SYS_kill, raw_call(SYS_getpid, 0, 0, 0), 0, 0);
  for (;;) raw_call(SYS_exit, 1, 0, 0);
}

void free(void *block) {
  if (block == 0) return;
  struct block *b = (void *)((char *)block - HEADER);
  heap_hold();
  if (!is_in_use(b)) stop_program();
  release(b, size_of(b));
  heap_let_go();
}
