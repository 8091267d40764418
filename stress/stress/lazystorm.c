// lazystorm: memory that comes at the first touch.  A life of a worker is spent
// either on a heap whose break moves all the time, or on a few pages in a space
// that is as wide as it can be; in both, what was given back must read zeros when
// it is taken again.
#include "stress/stress/stress.h"

// --- The heap ---

#define HEAP_MOST  1024

// Page i of the heap holds stamps of generation[i] in its first stamped[i] words
// and zeros after them, as far as the break.
static uint generation[HEAP_MOST];
static ushort stamped[HEAP_MOST];
static uint64 *heap;
static uint64 words;  // between heap and the break

static uint64 *page_at(uint64 i) { return heap + i * PAGE_WORDS; }

static int words_in(uint64 i) {
  uint64 left = words - i * PAGE_WORDS;
  return left < PAGE_WORDS ? left : PAGE_WORDS;
}

static void check_page(uint64 i) {
  int kept = stamped[i], all = words_in(i);
  page_check(page_at(i), kept, me.owner, i, generation[i]);
  page_check(page_at(i) + kept, all - kept, me.owner, i, 0);
}

static void begin_heap(void) {
  heap = (uint64 *)align_break();
}

static void grow_heap(int eager) {
  uint64 most = me.frames < HEAP_MOST ? me.frames : HEAP_MOST;
  uint64 more = 1 + below(below(4) ? 3 * PAGE_WORDS : 64 * PAGE_WORDS);
  if (words + more > most * PAGE_WORDS) return;
  char *end = (char *)(heap + words);
  char *got = eager ? sbrkeager(8 * more) : sbrk(8 * more);
  if (got == SBRK_ERROR) {
    CHECK(sbrk(0) == end, "a growth that failed left the break at %p, not %p", sbrk(0), end);
    return;
  }
  CHECK(got == end, "the break was %p, not %p", got, end);
  words += more;
}

static void shrink_heap(void) {
  uint64 less = 1 + below(below(4) ? 5 * PAGE_WORDS : words);
  if (less > words) less = words;
  CHECK(sbrk(-(int)(8 * less)) == (char *)(heap + words), "the break was elsewhere");
  words -= less;
  uint64 edge = words / PAGE_WORDS;
  if (edge < HEAP_MOST && stamped[edge] > words % PAGE_WORDS) stamped[edge] = words % PAGE_WORDS;
  for (uint64 i = edge + 1; i < HEAP_MOST; i++) stamped[i] = 0;
}

// Bytes of the heap through the kernel and back.
static void pipe_page(uint64 i) {
  static uint64 back[64];
  int ends[2], n = words_in(i) < 64 ? words_in(i) : 64;
  if (pipe(ends) < 0) return;
  int sent = write(ends[1], page_at(i), 8 * n);
  CHECK(sent == 8 * n || memory_is_short(), "a pipe took %d of %d bytes", sent, 8 * n);
  if (sent == 8 * n) {
    int got = read(ends[0], back, sizeof(back));
    CHECK(got == 8 * n || memory_is_short(), "a pipe gave %d of %d bytes", got, 8 * n);
    CHECK(got < 0 || memcmp(back, page_at(i), got) == 0, "a pipe changed bytes");
  }
  close(ends[0]);
  close(ends[1]);
}

static void heap_operation(void) {
  uint64 pages = (words + PAGE_WORDS - 1) / PAGE_WORDS, i = below(pages);
  uint64 choice = below(16);
  if (choice < 3 || pages == 0) {
    grow_heap(choice == 0);
  } else if (choice < 5) {
    shrink_heap();
  } else if (choice == 5) {
    pipe_page(i);
  } else if (choice < 11) {
    check_page(i);
  } else {
    stamped[i] = words_in(i);
    page_stamp(page_at(i), stamped[i], me.owner, i, ++generation[i]);
  }
}

// --- The wide space ---

#define SPOTS  60

static struct spot {
  uint64 page;
  uint64 generation;  // 0: never written since the space was folded
  int touched;        // read or written since this spot stands here
} spots[SPOTS];
static char *wide;
static uint64 wide_pages;
static uint64 resident;  // pages touched since all was given back; at most

static uint64 *spot_at(const struct spot *s) { return (uint64 *)(wide + s->page * PGSIZE); }

static void touch_spot(struct spot *s) {
  resident += !s->touched;
  s->touched = 1;
}

static void check_spot(struct spot *s) {
  touch_spot(s);
  page_check(spot_at(s), PAGE_WORDS, me.owner, s->page, s->generation);
}

// A page that no other spot stands for.
static void place_spot(struct spot *s) {
  uint64 page = below(wide_pages);
  for (int i = 0; i < SPOTS; i++)
    if (&spots[i] != s && spots[i].page == page) return;
  s->page = page;
  s->touched = 0;
}

static void begin_wide(void) {
  wide = align_break();
  wide_pages = (USERTOP - (uint64)wide) / PGSIZE;  // all there is: some 255 GB
  CHECK(sbrk_by(wide_pages * PGSIZE) == wide, "no room for a wide space");
  for (int i = 0; i < SPOTS; i++) spots[i].page = wide_pages - 1 - i;
}

// Gives all but `keep` pages back and takes them again: what was there is gone.
static void fold_wide(uint64 keep) {
  CHECK(sbrk_by(-(long)((wide_pages - keep) * PGSIZE)) == wide + wide_pages * PGSIZE,
        "the break was elsewhere");
  CHECK(sbrk_by((wide_pages - keep) * PGSIZE) == wide + keep * PGSIZE, "the break went elsewhere");
  for (int i = 0; i < SPOTS; i++)
    if (spots[i].page >= keep) spots[i].generation = 0;
  if (keep == 0) resident = 0;
  for (int i = 0; i < SPOTS && keep == 0; i++) spots[i].touched = 0;
}

static void wide_operation(void) {
  struct spot *s = &spots[below(SPOTS)];
  uint64 choice = below(32);
  if (6 * (resident + 1) > me.frames) {  // a page, two tables, and a child's tables
    fold_wide(0);
  } else if (choice == 0) {
    fold_wide(below(wide_pages));
  } else if (choice == 1) {
    uint64 owner = me.owner;
    int pid = descend();
    if (pid > 0) child_must_be_well(0);
    if (pid != 0) return;
    me.owner = owner;
    for (int i = 0; i < SPOTS; i++)
      if (spots[i].generation)
        page_check(spot_at(&spots[i]), PAGE_WORDS, me.owner, spots[i].page, spots[i].generation);
    exit(0);
  } else if (choice < 14) {
    check_spot(s);
  } else {
    if (choice < 20 && s->generation == 0) place_spot(s);
    touch_spot(s);
    page_stamp(spot_at(s), PAGE_WORDS, me.owner, s->page, ++s->generation);
  }
}

void lazystorm_operation(void) {
  static enum { UNDECIDED, HEAP, WIDE } kind;
  if (kind == UNDECIDED) {
    kind = below(2) ? HEAP : WIDE;
    if (kind == HEAP) begin_heap();
    else begin_wide();
  }
  if (kind == HEAP) heap_operation();
  else wide_operation();
}
