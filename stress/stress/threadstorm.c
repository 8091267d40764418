// Threads that fault, shrink, fork, make threads, exec and end in one address space.
#include "stress/stress/crew.h"
#include "stress/stress/stress.h"

#include "kernel/futex.h"

// --- First touches, all at once ---

#define FRESH_PAGES  32

static uint64 *fresh;
static int touchers;

// Each thread writes its own line of every page, forwards or backwards, as the first
// or not; a page that were filled twice would lose one.
static void toucher(uint64 which) {
  for (uint64 k = 0; k < FRESH_PAGES; k++) {
    uint64 i = which == 3 ? FRESH_PAGES - 1 - k : k;
    page_stamp(fresh + i * PAGE_WORDS + which * 64, 64, me.owner + which, i, 1);
  }
}

static void touch_together(void) {
  align_break();
  fresh = (uint64 *)sbrk(FRESH_PAGES * PGSIZE);
  if (fresh == (uint64 *)SBRK_ERROR) return;
  for (touchers = 0; touchers < 4 && crew_add(toucher, touchers) >= 0;) touchers++;
  int shared = below(2), pid = -1;  // by a fork, while they are touched
  crew_begin();
  if (shared) pid = descend();
  if (pid == 0) exit(0);
  crew_join();
  for (uint64 i = 0; i < FRESH_PAGES; i++) {
    for (int t = 0; t < touchers; t++)
      page_check(fresh + i * PAGE_WORDS + t * 64, 64, me.owner + t, i, 1);
    page_check(fresh + i * PAGE_WORDS + touchers * 64, PAGE_WORDS - touchers * 64, 0, i, 0);
  }
  if (pid > 0) child_must_be_well(0);
  CHECK(sbrk(-FRESH_PAGES * PGSIZE) == (char *)(fresh + FRESH_PAGES * PAGE_WORDS),
        "the break was elsewhere");
}

// --- Descriptors ---

#define MESSAGE  8  // words: a pipe takes or gives them as one

static int ends[2], messages, closed;

static void sender(uint64 which) {
  uint64 message[MESSAGE];
  for (uint64 n = 1; !is_set(&closed); n++) {
    page_stamp(message, MESSAGE, me.owner, which, n % 16 + 1);
    write(is_set(&ends[1]), message, sizeof(message));
  }
}

static void receiver(uint64 unused) {
  uint64 message[MESSAGE], expected[MESSAGE];
  (void)unused;
  while (!is_set(&closed)) {
    if (read(is_set(&ends[0]), message, sizeof(message)) != sizeof(message)) continue;
    int known = 0;
    for (int n = 0; n < 16 * 4 && !known; n++) {
      page_stamp(expected, MESSAGE, me.owner, n / 16, n % 16 + 1);
      known = memcmp(message, expected, sizeof(message)) == 0;
    }
    CHECK(known, "worker %d: nobody sent 0x%lx", me.slot, message[0]);
    add_to(&messages, 1);
  }
}

// Ends are closed under the hands of those who use them.
static void close_under_way(void) {
  closed = messages = 0;
  if (pipe(ends) < 0) return;
  crew_add(sender, 0);
  crew_add(receiver, 0);
  crew_add(below(2) ? sender : receiver, 1);
  crew_begin();
  for (int n = 1 + below(4); n > 0; n--) {
    int other[2];
    spin(4000);
    close(ends[0]);
    close(ends[1]);
    if (n > 1 && pipe(other) < 0) break;
    if (n == 1) break;
    atomic_store_release(&ends[0], other[0]);
    atomic_store_release(&ends[1], other[1]);
  }
  add_to(&closed, 1);
  crew_join();
}

// --- Lives and ends of a process with threads ---

#define OWN_PAGES   6
#define TOP_PAGES   16
#define STATUS      41          // of a leader that exits
#define UNABLE      42          // of one that cannot have enough threads
#define LONGEST     (10 * TICKS_A_SECOND)
#define PLAIN       9          // numbers for which --child wants no more arguments
#define BUSY        TICKS_A_SECOND
#define BEYOND      (1UL << 38)  // no address of a program

static uint64 *own;  // OWN_PAGES of each thread
static uint64 *top;  // TOP_PAGES that only the shrinker takes away
static uint64 top_generation;
static int halt, never, busy_until;

// The threads of a process that nobody ends must not take the harts from others.
static int goes_on(void) { return !is_set(&halt) && uptime() < busy_until; }

static uint64 *own_page(uint64 which, uint64 i) {
  return own + (which * OWN_PAGES + i) * PAGE_WORDS;
}

static void check_own(uint64 which, uint64 owner, uint64 generation) {
  for (uint64 i = 0; i < OWN_PAGES; i++)
    page_check(own_page(which, i), PAGE_WORDS, owner, i, generation);
}

static void write_own(uint64 which, uint64 generation) {
  for (uint64 i = 0; i < OWN_PAGES; i++)
    page_stamp(own_page(which, i), PAGE_WORDS, me.owner, i, generation);
}

static void faulting(uint64 which) {
  for (uint64 n = 1; goes_on(); n++) {
    write_own(which, n);
    check_own(which, me.owner, n);
  }
}

static void shrinking(uint64 unused) {
  (void)unused;
  for (uint64 n = 1; goes_on(); n++) {
    put(&top_generation, n);
    for (uint64 i = 0; i < TOP_PAGES; i++)
      page_stamp(top + i * PAGE_WORDS, 64, me.owner, i, n);
    uint64 less = 8 * (1 + below(TOP_PAGES * PAGE_WORDS - 1)), kept = TOP_PAGES * PGSIZE - less;
    if (sbrk(-(int)less) == SBRK_ERROR) continue;  // no memory for the last page's copy
    CHECK(sbrk(less) == (char *)top + kept, "the break went elsewhere");
    for (uint64 i = 0; i < TOP_PAGES; i++) {
      uint64 words = (i + 1) * PGSIZE <= kept ? 64 : i * PGSIZE >= kept ? 0 : kept % PGSIZE / 8;
      page_check(top + i * PAGE_WORDS, words < 64 ? words : 64, me.owner, i, n);
      if (words < 64 && i * PGSIZE >= kept) page_check(top + i * PAGE_WORDS, 64, 0, i, 0);
    }
  }
}

// Four words of the shrinker's page i: zeros or stamps, perhaps of several generations.
static void check_mixture(const uint64 *words, uint64 i, uint64 from, uint64 to) {
  uint64 expected[4];
  int known[4] = {0};
  for (uint64 g = from ? from - 1 : 0; g <= to; g++) {
    page_stamp(expected, 4, me.owner, i, g);
    for (int k = 0; k < 4; k++) known[k] |= words[k] == 0 || words[k] == expected[k];
  }
  for (int k = 0; k < 4; k++)
    CHECK(known[k], "worker %d: 0x%lx in page %ld is of nobody here", me.slot, words[k], i);
}

// Reads through the kernel what the shrinker takes away: it is there or not.
static void peeking(uint64 unused) {
  uint64 words[4];
  int end[2];
  (void)unused;
  if (pipe(end) < 0) return;
  while (goes_on()) {
    uint64 i = below(TOP_PAGES), from = look(&top_generation);
    int n = write(end[1], top + i * PAGE_WORDS, sizeof(words));
    uint64 to = look(&top_generation);
    CHECK(n == -1 || n == sizeof(words), "a pipe took %d bytes", n);
    if (n < 0) continue;
    CHECK(read(end[0], words, n) == n, "a pipe kept %d bytes", n);
    if (to - from < 8) check_mixture(words, i, from, to);
  }
  close(end[0]);
  close(end[1]);
}

static void forking(uint64 which) {
  for (uint64 n = 1; goes_on(); n++) {
    write_own(which, n);
    uint64 owner = me.owner;
    int pid = descend();
    if (pid == 0) {
      check_own(which, owner, n);
      write_own(which, n + 1);
      check_own(which, me.owner, n + 1);
      exit(0);
    }
    check_own(which, owner, n);
    if (pid > 0) child_must_be_well(0);
  }
}

static void short_life(void *at, void *number) {
  atomic_store_release((uint64 *)at, (uint64)number);
  exit(0);
}

// Makes threads and joins them; the last it leaves to the leader.
static void breeding(uint64 which) {
  uint64 *note = own_page(which, 0);
  char *stack = (char *)own_page(which, 1);
  for (uint64 n = 1; goes_on(); n++) {
    void *back = 0;
    int pid = clone(short_life, note, (void *)n, stack);
    if (pid < 0) continue;
    int joined = join(&back);
    CHECK(joined == pid && back == stack, "joined %d at %p, not %d at %p", joined, back, pid,
          stack);
    CHECK(look(note) == n, "thread %ld left %ld behind", n, look(note));
  }
}

static void sleeping(uint64 which) {
  int end[2];
  if (which % 3 == 0) futex(&never, FUTEX_WAIT, 0);
  else if (which % 3 == 1) sleep(100000);
  else if (pipe(end) == 0) read(end[0], &never, 1);
}

static void (*const lives[])(uint64) = {faulting, shrinking, peeking, forking, breeding};

enum end { LEADER_JOINS, LEADER_EXITS, LEADER_EXECS, THREAD_EXECS, THREAD_FAULTS, IS_KILLED, ENDS };

static char question[12], answer[12];

static void become_another(uint64 unused) {
  char *argv[] = {"stress", "--child", question, answer, 0};
  (void)unused;
  spin(10000);
  exec("/stress", argv);
  kill(getpid());  // no memory
}

static void trespass(uint64 unused) {
  (void)unused;
  spin(10000);
  *(volatile uint64 *)BEYOND = 1;
}

// Should whoever is to end the process have died.
static void last_resort(uint64 unused) {
  (void)unused;
  sleep(LONGEST);
  kill(getpid());
}

static void add_lives(void) {
  int shrinkers = 0;
  for (int busy = 1 + below(3), i = 0; i < busy; i++) {
    int life = below(COUNT_OF(lives));
    if (lives[life] == shrinking && shrinkers++) life = 0;
    if (lives[life] == forking && i > 0) life = 0;  // wait finds any thread's child
    crew_add(lives[life], i);
  }
}

static void live(enum end end) {
  int all = 1;
  align_break();
  own = (uint64 *)sbrk(CREW_MOST * OWN_PAGES * PGSIZE);
  top = (uint64 *)sbrk(TOP_PAGES * PGSIZE);
  busy_until = uptime() + BUSY;
  add_lives();
  if (end != LEADER_JOINS) {
    for (int n = below(3); n > 0; n--) crew_add(sleeping, below(3));
    all = crew_add(last_resort, 0) >= 0;
    if (end == THREAD_EXECS) all &= crew_add(become_another, 0) >= 0;
    if (end == THREAD_FAULTS) all &= crew_add(trespass, 0) >= 0;
  }
  if (!all) exit(UNABLE);
  crew_begin();
  if (end != IS_KILLED) spin(30000);
  if (end == LEADER_EXITS) exit(STATUS);
  if (end == LEADER_EXECS) become_another(0);
  if (end == LEADER_JOINS) word_set(&halt, 1);
  crew_join();
  exit(end == LEADER_JOINS ? 0 : 97);
}

static int expected_status(enum end end, int number) {
  switch (end) {
    case LEADER_JOINS: return 0;
    case LEADER_EXITS: return STATUS;
    case LEADER_EXECS:
    case THREAD_EXECS: return number % 97;
    default: return KILLED;
  }
}

static void live_and_end(void) {
  enum end end = below(16) == 0 ? THREAD_FAULTS : below(ENDS);
  if (end == THREAD_FAULTS && below(8)) end = IS_KILLED;  // each of them prints a line
  int number = PLAIN * below(1 << 20), status = 0;
  decimal(question, number);
  decimal(answer, number % 97);
  int pid = descend();
  if (pid == 0) live(end);
  if (pid < 0) return;
  spin(end == IS_KILLED ? 40000 : 0);
  if (end == IS_KILLED) CHECK(kill(pid) == 0, "a child that nobody waited for cannot be killed");
  CHECK(wait(&status) == pid, "the child with threads is not there");
  if (status == UNABLE) return;
  if ((status == KILLED || status == 99) && memory_is_short()) return;
  CHECK(status == expected_status(end, number), "worker %d: end %d has status %d, not %d", me.slot,
        end, status, expected_status(end, number));
}

void threadstorm_operation(void) {
  uint64 choice = below(8);
  if (choice < 2) touch_together();
  else if (choice == 2) close_under_way();
  else live_and_end();
}
