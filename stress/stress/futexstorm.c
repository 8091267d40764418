// Threads that sleep and wake each other: a lost wakeup stops one of them for good,
// and the watchdog tells.  Meanwhile the pages with the words they sleep on are
// shared by forks, copied, or taken away and given back.
#include "stress/stress/crew.h"
#include "stress/stress/stress.h"

#include "kernel/futex.h"
#include "user/thread.h"

#define PATIENCE  (20 * TICKS_A_SECOND)
#define FORKS_MOST  20
#define ALL       0x7fffffff

// --- The watchdog ---

static int operations_begun;

// A process of its own could not tell who is stuck; a thread sees the worker's memory.
static void watch(void *unused, void *unused2) {
  (void)unused, (void)unused2;
  for (int seen = -1; seen != is_set(&operations_begun);) {
    seen = is_set(&operations_begun);
    sleep(PATIENCE);
  }
  printf("futexstorm: FAILED: worker %d has slept for %d seconds: a wakeup is lost\n", me.slot,
         PATIENCE / TICKS_A_SECOND);
  kill(getpid());
  exit(1);
}

static void begin_watch(void) {
  static char stack[PGSIZE] __attribute__((aligned(PGSIZE)));
  static int there;
  if (!there) there = clone(watch, 0, 0, stack) > 0;
}

// --- What they share: each on a page of its own, so that one fault is one page ---

static struct mutex lock __attribute__((aligned(PGSIZE)));
static struct cond filled __attribute__((aligned(PGSIZE))), emptied;
static uint64 guarded[2 * PAGE_WORDS] __attribute__((aligned(PGSIZE)));
static int turn __attribute__((aligned(PGSIZE)));
static int rounds __attribute__((aligned(PGSIZE))), threads, finished;

// Each role counts itself out, so that the first thread knows how long to disturb.
static void finish(void) { add_to(&finished, 1); }

// Forks while they run: every page they use is to be copied at its next write.
static void disturb(void) {
  for (int i = 0; i < FORKS_MOST && is_set(&finished) < threads; i++) {
    int pid = descend();
    if (pid == 0) {
      spin(2000);
      exit(0);
    }
    spin(2000);
    if (pid > 0) child_must_be_well(0);
  }
}

static void run_crew(void (*role)(uint64), int most) {
  finished = 0;
  for (threads = 0; threads < most && crew_add(role, threads) >= 0;) threads++;
  if (threads == most) crew_begin();
  else crew_cancel();
  if (threads == most && below(4)) disturb();
  crew_join();
}

// --- A mutex ---

static void counter(uint64 which) {
  for (int i = 0; i < rounds; i++) {
    if (below(8) || !mutex_trylock(&lock)) mutex_lock(&lock);
    uint64 was = guarded[0];
    CHECK(guarded[PAGE_WORDS] == was, "worker %d: %ld and %ld under a mutex", me.slot, was,
          guarded[PAGE_WORDS]);
    guarded[0] = was + 1;
    if (below(16) == 0) getpid();
    guarded[PAGE_WORDS] = was + 1;
    mutex_unlock(&lock);
    if (below(4) == which % 4) spin(100);
  }
  finish();
}

static void count_under_a_mutex(void) {
  guarded[0] = guarded[PAGE_WORDS] = 0;
  rounds = 20 + below(60);
  run_crew(counter, 2 + below(4));
  if (finished == threads) CHECK_EQ(guarded[0], finished ? threads * rounds : 0);
}

// --- Ping-pong ---

static void player(uint64 which) {
  for (int i = 0; i < rounds; i++) {
    for (int now; (now = is_set(&turn)) % threads != (int)which;) futex(&turn, FUTEX_WAIT, now);
    add_to(&turn, 1);
    futex(&turn, FUTEX_WAKE, ALL);
  }
  finish();
}

static void play(void) {
  turn = 0;
  rounds = 5 + below(20);
  run_crew(player, 2 + below(2));
  if (finished == threads) CHECK_EQ(turn, threads * rounds);
}

// --- A queue with two condition variables ---

#define ROOM  4

static uint64 queue[ROOM], put_in, taken_out, sum;

static void producer(void) {
  for (int i = 0; i < rounds; i++) {
    mutex_lock(&lock);
    while (put_in - taken_out == ROOM) cond_wait(&emptied, &lock);
    queue[put_in % ROOM] = put_in + 1;
    put_in++;
    mutex_unlock(&lock);
    cond_signal(&filled);
  }
}

static void consumer(void) {
  for (int i = 0; i < rounds; i++) {
    mutex_lock(&lock);
    while (put_in == taken_out) cond_wait(&filled, &lock);
    uint64 got = queue[taken_out % ROOM];
    CHECK(got == taken_out + 1, "worker %d: a queue gave %ld, not %ld", me.slot, got,
          taken_out + 1);
    taken_out++;
    sum += got;
    mutex_unlock(&lock);
    if (below(2)) cond_signal(&emptied);
    else cond_broadcast(&emptied);
  }
}

static void trader(uint64 which) {
  if (which % 2) producer();
  else consumer();
  finish();
}

static void trade(void) {
  put_in = taken_out = sum = 0;
  rounds = 5 + below(30);
  run_crew(trader, 2 * (1 + below(2)));
  uint64 n = threads / 2 * rounds;
  if (finished == threads) CHECK_EQ(sum, n * (n + 1) / 2);
}

// --- Waits and wakes, counted, on a page that comes and goes ---

static int *word;  // on the last page of the heap
static int waits, wakes, over;

// Reads the word through the kernel alone, which may find no page there.
static void sleeper(uint64 unused) {
  (void)unused;
  while (!is_set(&over))
    if (futex(word, FUTEX_WAIT, 0) == 0) add_to(&waits, 1);
  finish();
}

static void wake_some(int most) {
  int n = futex(word, FUTEX_WAKE, most);
  CHECK(n >= 0 && n <= most, "worker %d: of %d, %d were woken", me.slot, most, n);
  wakes += n;
}

static void move_the_page(void) {
  int pid = -1;
  switch (below(3)) {
    case 0:
      CHECK(sbrk(-PGSIZE) == (char *)word + PGSIZE, "the break was elsewhere");
      if (below(2)) wake_some(1);
      CHECK(sbrk(PGSIZE) == (char *)word, "the break went elsewhere");
      break;
    case 1:
      pid = descend();
      if (pid == 0) exit(futex(word, FUTEX_WAKE, ALL));  // its own word: nobody sleeps there
      word[1]++;  // a copy of the page
      if (pid > 0) child_must_be_well(0);
      break;
    default: word[2]++;
  }
}

static void sleep_on_a_moving_page(void) {
  if (!word) {
    align_break();
    word = (int *)sbrk(PGSIZE);
    CHECK(word != (int *)SBRK_ERROR, "no room for a word");
  }
  waits = wakes = over = finished = *word = 0;
  for (threads = 0; threads < 3 && crew_add(sleeper, 0) >= 0;) threads++;
  crew_begin();
  for (int n = 2 + below(6); n > 0; n--) {
    move_the_page();
    spin(3000);
    wake_some(below(3));
  }
  // Who has not seen the end falls asleep no more: the word is different.
  add_to(&over, 1);
  atomic_store_release(word, 1);
  wake_some(ALL);
  crew_join();
  CHECK_EQ(waits, wakes);
}

void futexstorm_operation(void) {
  begin_watch();
  add_to(&operations_begun, 1);
  switch (below(4)) {
    case 0: count_under_a_mutex(); break;
    case 1: play(); break;
    case 2: trade(); break;
    default: sleep_on_a_moving_page();
  }
}
