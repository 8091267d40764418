// The futex call: what it refuses, whom it wakes, and that a waiter is known by
// address space and address, whatever becomes of the page.
#include "user/threadtest/threadtest.h"

enum { WAITERS = 5 };

static int word, started, awake;
static int woken[WAITERS];  // in the order in which they woke

void test_futex_refuses(void) {
  word = 7;
  CHECK_EQ(futex(&word, FUTEX_WAIT, 6), -1);
  CHECK_EQ(futex(&word, FUTEX_WAIT, -7), -1);
  CHECK_EQ(futex((int *)((char *)&word + 1), FUTEX_WAIT, 7), -1);
  CHECK_EQ(futex((int *)((char *)&word + 2), FUTEX_WAIT, 0), -1);
  uint64 below = PGROUNDDOWN(r_sp()) - PGSIZE;
  const uint64 bad[] = {below, PGROUNDUP((uint64)sbrk(0)), USERTOP, KERNBASE, MAXVA, -4ul,
                        0xffffffff80000000ul};
  for (int i = 0; i < COUNT_OF(bad); i++) CHECK_EQ(futex((int *)bad[i], FUTEX_WAIT, 0), -1);
  CHECK_EQ(futex(&word, FUTEX_WAKE, -1), -1);
  CHECK_EQ(futex(&word, FUTEX_WAKE, -MOST - 1), -1);
  CHECK_EQ(futex(&word, FUTEX_WAKE, 0), 0);
  CHECK_EQ(futex(&word, FUTEX_WAKE, MOST), 0);
  CHECK_EQ(futex(&word, 2, 7), -1);
  CHECK_EQ(futex(&word, -1, 7), -1);
  CHECK_EQ(word, 7);
}

// ---- whom a wake wakes -----------------------------------------------------

static void wait_once(void *address, void *unused) {
  (void)unused;
  add(&started, 1);
  CHECK_EQ(futex(address, FUTEX_WAIT, 0), 0);
  add(&awake, 1);
}

// Starts n threads that wait at `address`, which holds 0, and gives them time to do so.
static void spawn_waiters(int n, int *address) {
  int before = get(&started);
  for (int i = 0; i < n; i++) spawn(wait_once, (long)address);
  doze_until(&started, before + n);
  sleep(3);
}

void test_futex_counts(void) {
  static int neighbour;
  spawn_waiters(WAITERS, &word);
  CHECK_EQ(futex(&neighbour, FUTEX_WAKE, MOST), 0);
  CHECK_EQ(futex(&word, FUTEX_WAKE, 0), 0);
  sleep(1);
  CHECK_EQ(get(&awake), 0);
  CHECK_EQ(futex(&word, FUTEX_WAKE, 2), 2);
  doze_until(&awake, 2);
  sleep(1);
  CHECK_EQ(get(&awake), 2);
  CHECK_EQ(futex(&word, FUTEX_WAKE, 10), WAITERS - 2);
  CHECK_EQ(futex(&word, FUTEX_WAKE, 10), 0);
  join_all(WAITERS);
  CHECK_EQ(awake, WAITERS);
}

static void note_order(void *number, void *unused) {
  (void)unused;
  set(&started, (long)number + 1);
  CHECK_EQ(futex(&word, FUTEX_WAIT, 0), 0);
  woken[get(&awake)] = (long)number;
  add(&awake, 1);
}

// Who has waited longest goes first.
void test_futex_order(void) {
  for (int i = 0; i < WAITERS; i++) {
    spawn(note_order, i);
    doze_until(&started, i + 1);
    sleep(3);
  }
  for (int i = 0; i < WAITERS; i++) {
    CHECK_EQ(futex(&word, FUTEX_WAKE, 1), 1);
    doze_until(&awake, i + 1);
    CHECK_EQ(woken[i], i);
  }
  join_all(WAITERS);
}

// ---- no wake is lost -------------------------------------------------------

enum { PING_PONG = 10000 };
static int turn;

static void play(void *mine, void *unused) {
  (void)unused;
  for (int i = 0; i < PING_PONG; i++) {
    for (int seen; (seen = get(&turn)) % 2 != (long)mine;) futex(&turn, FUTEX_WAIT, seen);
    CHECK_EQ(turn, 2 * i + (long)mine);
    add(&turn, 1);
    futex(&turn, FUTEX_WAKE, 1);
  }
}

void test_futex_ping_pong(void) {
  spawn(play, 0);
  spawn(play, 1);
  join_all(2);
  CHECK_EQ(turn, 2 * PING_PONG);
}

// The waiter reads a word on a page that nobody has touched, which takes a fault in
// the middle of the call; the change and the wake come at about that time.
static void change_and_wake(void *address, void *unused) {
  (void)unused;
  spin_until(&started, 1);
  linger(((uint64)address / PGSIZE * 37) % 2000);
  set(address, 1);
  futex(address, FUTEX_WAKE, 1);
}

void test_futex_fresh_page(void) {
  enum { ROUNDS = 150 };
  for (int i = 0; i < ROUNDS; i++) {
    int *fresh = (int *)PGROUNDUP((uint64)sbrk(2 * PGSIZE));
    started = 0;
    spawn(change_and_wake, (long)fresh);
    set(&started, 1);
    int result = futex(fresh, FUTEX_WAIT, 0);  // 0: woken; -1: came too late to wait
    CHECK(result == 0 || result == -1, "futex gave %d", result);
    CHECK_EQ(get(fresh), 1);
    join_all(1);
  }
}

// ---- the page changes ------------------------------------------------------

// Between wait and wake the page is shared by a fork, and copied at a write.
void test_futex_over_fork(void) {
  struct gate go;
  gate_make(&go);
  spawn_waiters(1, &word);
  int child = must_fork();
  if (child == 0) {
    gate_wait(&go);
    CHECK_EQ(word, 0);
    CHECK_EQ(futex(&word, FUTEX_WAKE, MOST), 0);
    exit(0);
  }
  word = 1;
  CHECK_EQ(futex(&word, FUTEX_WAKE, MOST), 1);
  join_all(1);
  gate_open(&go, 1);
  wait_for(child, 0);
}

void test_futex_unmapped(void) {
  static int *lost;
  sbrk(-(uint64)sbrk(0) % PGSIZE);
  free(malloc(3 * THREAD_STACK));  // room for the thread, below the page
  lost = (int *)sbrk(PGSIZE);
  char *end = sbrk(0);
  spawn_waiters(1, lost);
  CHECK_EQ(sbrk(0), end);
  CHECK_EQ(sbrk(-PGSIZE), end);
  CHECK_EQ(get(&awake), 0);
  CHECK_EQ(futex(lost, FUTEX_WAIT, 0), -1);
  CHECK_EQ(futex(lost, FUTEX_WAKE, MOST), 1);
  join_all(1);
}

// ---- other processes -------------------------------------------------------

static void wait_for_ever(void *unused) {
  (void)unused;
  futex(&word, FUTEX_WAIT, 0);
  exit(3);
}

// A waiter that is killed is in nobody's way.
void test_futex_killed(void) {
  int pid = must_fork();
  if (pid == 0) wait_for_ever(0);
  sleep(3);
  int start = uptime();
  kill(pid);
  wait_for(pid, -1);
  CHECK(!passed(start, PROMPT), "it took %d ticks", uptime() - start);
  CHECK_EQ(futex(&word, FUTEX_WAKE, MOST), 0);
}

// The same address in two processes is not the same futex.
void test_futex_two_processes(void) {
  struct gate go;
  gate_make(&go);
  int pid = must_fork();
  if (pid == 0) {
    spawn_waiters(2, &word);
    gate_wait(&go);
    CHECK_EQ(get(&awake), 0);
    CHECK_EQ(futex(&word, FUTEX_WAKE, MOST), 2);
    join_all(2);
    exit(0);
  }
  spawn_waiters(2, &word);
  sleep(3);
  CHECK_EQ(futex(&word, FUTEX_WAKE, 1), 1);
  CHECK_EQ(futex(&word, FUTEX_WAKE, MOST), 1);
  join_all(2);
  gate_open(&go, 1);
  wait_for(pid, 0);
}
