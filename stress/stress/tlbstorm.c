// Hunters of stale translations: threads that read and write a page while another
// takes it away, copies it or write-protects it.  A value is told through another
// page only once it is in place, so who has heard of it must see it.
#include "stress/stress/crew.h"
#include "stress/stress/stress.h"

#define PAGES    48
#define BELOW    8   // of them below a border of leaf tables
#define WRITERS  3   // two by themselves, one through the kernel
#define LINE     8   // words of a page that change; the rest is a stamp
#define ROUNDS   3
#define SWEEPS   4000  // that a thread goes over the pages, at most
#define PAGES_OF_A_TABLE  512

static uint64 *pages;  // PAGES of them; a border of leaf tables is among them
static uint64 told[WRITERS][PAGES] __attribute__((aligned(PGSIZE)));
static uint64 round_of_all;  // generation of the stamps
static int stop __attribute__((aligned(PGSIZE)));

static uint64 *page(uint64 i) { return pages + i * PAGE_WORDS; }

static void begin_pages(void) {
  uint64 end = (uint64)sbrk(0), table = PAGES_OF_A_TABLE * PGSIZE;
  uint64 border = (end + BELOW * PGSIZE + table - 1) / table * table;
  CHECK(sbrk_by(border - BELOW * PGSIZE - end) == (char *)end, "the break was elsewhere");
  pages = (uint64 *)sbrk(PAGES * PGSIZE);
  CHECK(pages != (uint64 *)SBRK_ERROR, "no room for pages");
}

static void stamp_rest(uint64 i) {
  page_stamp(page(i) + LINE, PAGE_WORDS - LINE, me.owner, i, round_of_all);
}

static void check_rest(uint64 i) {
  page_check(page(i) + LINE, PAGE_WORDS - LINE, me.owner, i, round_of_all);
}

// --- Copied and write-protected pages ---

static int kernel_write(int *ends, uint64 *at, uint64 value) {
  return write(ends[1], &value, sizeof(value)) == sizeof(value) &&
         read(ends[0], at, sizeof(value)) == sizeof(value);
}

// What writers have told of is on the page, and at most one value more.
static void check_told(uint64 i) {
  for (uint64 w = 0; w < WRITERS; w++) {
    uint64 least = look(&told[w][i]), seen = look(page(i) + w), most = look(&told[w][i]) + 1;
    CHECK(seen >= least && seen <= most, "worker %d: page %ld has 0x%lx of writer %ld, not "
          "%ld to %ld", me.slot, i, seen, w, least, most);
  }
}

// Its word of each page is written by this thread alone: nothing may be lost.
static void writer(uint64 w) {
  int ends[2], by_kernel = w == WRITERS - 1;
  if (by_kernel && pipe(ends) < 0) return;
  for (uint64 n = 1; n < SWEEPS && !is_set(&stop); n++)
    for (uint64 i = 0; i < PAGES; i++) {
      check_told(i);
      uint64 *at = page(i) + w, was = look(at);
      CHECK(was == n - 1, "worker %d: writer %ld of page %ld finds %ld, not %ld", me.slot, w, i,
            was, n - 1);
      if (by_kernel) CHECK(kernel_write(ends, at, n), "a pipe does not move %ld", n);
      else put(at, n);
      put(&told[w][i], n);
    }
  if (by_kernel) close(ends[0]);
  if (by_kernel) close(ends[1]);
}

static void reader(uint64 unused) {
  (void)unused;
  for (uint64 n = 0; n < SWEEPS && !is_set(&stop); n++)
    for (uint64 i = 0; i < PAGES; i++) {
      check_told(i);
      if ((n + i) % 128 == 0) check_rest(i);
    }
}

static void kernel_reader(uint64 unused) {
  uint64 line[LINE];
  int ends[2];
  (void)unused;
  if (pipe(ends) < 0) return;
  for (uint64 n = 0; n < SWEEPS * 8 && !is_set(&stop); n++) {
    uint64 i = n % PAGES, w = n / PAGES % WRITERS;
    uint64 least = look(&told[w][i]);
    CHECK(write(ends[1], page(i), sizeof(line)) == sizeof(line), "a pipe does not take a line");
    CHECK(read(ends[0], line, sizeof(line)) == sizeof(line), "a pipe does not give a line");
    CHECK(line[w] >= least, "worker %d: the kernel reads %ld in page %ld, writer %ld told of %ld",
          me.slot, line[w], i, w, least);
  }
  close(ends[0]);
  close(ends[1]);
}

// The child of a fork: nothing moves any more, and each writer was stopped between
// two of its steps.
static void stand_still(uint64 owner) {
  static uint64 first[PAGES][WRITERS];
  me.owner = owner;
  for (uint64 i = 0; i < PAGES; i++)
    for (uint64 w = 0; w < WRITERS; w++) {
      first[i][w] = look(page(i) + w);
      CHECK(first[i][w] - look(&told[w][i]) <= 1, "worker %d: a fork took %ld in page %ld, "
            "told %ld", me.slot, first[i][w], i, look(&told[w][i]));
    }
  spin(20000);
  for (uint64 i = 0; i < PAGES; i++)
    for (uint64 w = 0; w < WRITERS; w++)
      CHECK(look(page(i) + w) == first[i][w], "worker %d: page %ld went on from %ld to %ld after a "
            "fork", me.slot, i, first[i][w], look(page(i) + w));
  check_rest(below(PAGES));
  exit(0);
}

// Looks until a writer gets on, but not for long: then it runs on another hart now.
static void await_motion(void) {
  for (uint64 n = 0, before[WRITERS]; n < 3000; n++)
    for (uint64 w = 0; w < WRITERS; w++) {
      uint64 now = look(&told[w][0]);
      if (n > 0 && now != before[w]) return;
      before[w] = now;
    }
}

static void fork_under_way(void) {
  uint64 owner = me.owner;
  int children = 0;
  for (int i = 0; i < 2; i++) {
    await_motion();
    int pid = descend();
    if (pid == 0) stand_still(owner);
    children += pid > 0;
    spin(1000);
  }
  while (children-- > 0) child_must_be_well(0);
}

static void copied_pages(void) {
  memset(told, 0, sizeof(told));
  stop = 0;
  round_of_all++;
  for (uint64 i = 0; i < PAGES; i++) {
    memset(page(i), 0, LINE * sizeof(uint64));
    stamp_rest(i);
  }
  uint64 first = below(WRITERS), writers = 1 + below(WRITERS);
  for (uint64 w = 0; w < writers; w++) crew_add(writer, (first + w) % WRITERS);
  crew_add(reader, 0);
  crew_add(below(2) ? kernel_reader : reader, 0);
  crew_begin();
  for (int i = 0; i < ROUNDS; i++) fork_under_way();
  word_set(&stop, 1);
  crew_join();
  for (uint64 i = 0; i < PAGES; i++) {
    for (uint64 w = 0; w < WRITERS; w++) CHECK_EQ(page(i)[w], told[w][i]);
    check_rest(i);
  }
}

// --- Pages that go and come back ---

static int phase, ready;
static uint64 first_gone, generations[PAGES];

static void next_phase(int hunters) {
  ready = 0;
  word_set(&phase, phase + 1);
  for (int seen; (seen = is_set(&ready)) < hunters;) word_await(&ready, seen);
}

static void check_pages(uint64 part) {
  for (uint64 i = 0; i < PAGES; i++)
    page_check(page(i) + LINE, part, me.owner, i, generations[i]);
}

// Between two phases a hunter runs on without a call, and keeps what its hart knows.
// It leaves a word on each page.
static void hunter(uint64 which) {
  for (int now = 0; (now = word_await(&phase, now)) > 0;) {
    check_pages(1 + below(LINE));
    for (uint64 i = 0; i < PAGES; i++) put(page(i) + which, me.owner + now);
    word_add(&ready, 1);
  }
}

static void check_words(uint64 from, int hunters, uint64 expected) {
  for (uint64 i = from; i < PAGES; i++)
    for (int h = 0; h < hunters; h++)
      CHECK(look(page(i) + h) == expected, "worker %d: word %d of page %ld is 0x%lx, not 0x%lx",
            me.slot, h, i, look(page(i) + h), expected);
}

static void fold_pages(int hunters) {
  static uint64 other[4 * PAGE_WORDS];
  // Often many pages, but not all of a leaf table's.
  first_gone = below(2) ? below(PAGES) : BELOW + 1 + below(6);
  long bytes = (PAGES - first_gone) * PGSIZE;
  int pid = below(2) ? descend() : -1;
  if (pid == 0) {
    spin(5000);
    exit(0);
  }
  CHECK(sbrk_by(-bytes) == (char *)page(PAGES), "the break was elsewhere");
  page_stamp(other, 4 * PAGE_WORDS, me.owner, PAGES, round_of_all);
  CHECK(sbrk_by(bytes) == (char *)page(first_gone), "the break went elsewhere");
  for (uint64 i = first_gone; i < PAGES; i++) generations[i] = 0;
  if (below(4)) next_phase(hunters);
  else check_words(first_gone, hunters, 0);
  if (pid > 0) child_must_be_well(0);
}

static void folded_pages(void) {
  phase = ready = 0;
  int hunters = 0;
  for (int want = 1 + below(3); hunters < want && crew_add(hunter, hunters) >= 0;) hunters++;
  for (uint64 i = 0; i < PAGES; i++) memset(page(i), 0, LINE * sizeof(uint64));
  crew_begin();
  for (int n = 0; n < ROUNDS; n++) {
    round_of_all++;
    for (uint64 i = 0; i < PAGES; i++) {
      generations[i] = round_of_all;
      stamp_rest(i);
    }
    next_phase(hunters);
    check_words(0, hunters, me.owner + phase);
    fold_pages(hunters);
    if (below(2) == 0) next_phase(hunters);
  }
  word_set(&phase, -1);
  crew_join();
}

// --- Pages that go for good ---

static int gone;

// Ends the process at the latest with the first access after the page is gone.
static void trespasser(uint64 how) {
  uint64 *at = page(PAGES - 1);
  for (int last = 0; !last;) {
    last = is_set(&gone);
    if (how == 0) CHECK(look(at) == 1, "worker %d: a page that goes has 0x%lx", me.slot, *at);
    else put(at, 1);
    word_set(&ready, 1);
  }
  CHECK(0, "worker %d: a page was there after it was unmapped", me.slot);
}

// The same through the kernel, which is told instead.
static void polite_trespasser(uint64 unused) {
  uint64 word;
  int ends[2], last = 0, sent;
  (void)unused;
  if (pipe(ends) < 0) return;
  do {
    last = is_set(&gone);
    sent = write(ends[1], page(PAGES - 1), sizeof(word));
    if (sent > 0) CHECK(!last && read(ends[0], &word, sizeof(word)) == sent, "read what is gone");
    word_set(&ready, 1);
  } while (!last);
}

static void unmap_for_good(int polite) {
  gone = ready = 0;
  put(page(PAGES - 1), 1);
  if (crew_add(polite ? polite_trespasser : trespasser, below(2)) < 0) exit(polite ? 0 : KILLED);
  crew_begin();
  if (!polite) word_await(&ready, 0);
  sbrk(-(int)((1 + below(PAGES)) * PGSIZE));
  word_set(&gone, 1);
  crew_join();
  exit(0);
}

static void lost_pages(void) {
  int status = 0, polite = below(8) != 0, pid = descend();
  if (pid == 0) unmap_for_good(polite);
  if (pid < 0) return;
  CHECK(wait(&status) == pid, "the child with a trespasser is not there");
  if (status == KILLED && memory_is_short()) return;
  CHECK_EQ(status, polite ? 0 : KILLED);
}

void tlbstorm_operation(void) {
  if (!pages) begin_pages();
  uint64 choice = below(8);
  if (choice < 4) copied_pages();
  else if (choice < 7) folded_pages();
  else lost_pages();
}
