// Processes that threads make: each begins with one thread, a copy of its creator,
// and belongs to the process.
#include "user/threadtest/threadtest.h"

static int counter, stop, child, value = 1, started;

static void count_on(void *arg, void *arg2) {
  (void)arg, (void)arg2;
  while (!get(&stop)) add(&counter, 1);
}

static void note(void *arg, void *arg2) {
  (void)arg, (void)arg2;
  add(&started, 1);
}

// In the child: nobody else runs, and it may have threads of its own.
static void look_around(void) {
  CHECK_EQ(join(0), -1);
  CHECK_EQ(wait(0), -1);
  int seen = get(&counter);
  sleep(2);
  CHECK_EQ(get(&counter), seen);
  value = 2;
  for (int i = 0; i < 3; i++) spawn(note, 0);
  join_all(3);
  CHECK_EQ(started, 3);
  CHECK_EQ(value, 2);
  exit(33);
}

static void fork_and_leave(void *arg, void *arg2) {
  (void)arg, (void)arg2;
  int pid = must_fork();
  if (pid == 0) look_around();
  set(&child, pid);
}

void test_fork_in_thread(void) {
  for (int i = 0; i < 2; i++) spawn(count_on, 0);
  for (int i = 0; i < 3; i++) {
    set(&child, 0);
    spawn(fork_and_leave, 0);
    doze_until(&child, 1);
    wait_for(child, 33);
    CHECK_EQ(value, 1);
    CHECK_EQ(started, 0);
    CHECK_EQ(wait(0), -1);
  }
  set(&stop, 1);
  join_all(5);
}

// ---- waiting ---------------------------------------------------------------

static int reaped, none;
static void reap(void *arg, void *arg2) {
  (void)arg, (void)arg2;
  int status = 0, pid;
  while ((pid = wait(&status)) > 0) {
    CHECK_EQ(status, 5);
    add(&reaped, 1);
  }
  add(&none, 1);
}

// Children of all threads are waited for by all threads: each is found once, and in
// the end everybody is told that there is none.
void test_any_thread_waits(void) {
  enum { CHILDREN = 12, WAITERS = 4 };
  for (int i = 0; i < CHILDREN; i++) {
    if (must_fork() == 0) {
      sleep(i % 4);
      exit(5);
    }
  }
  for (int i = 0; i < WAITERS; i++) spawn(reap, 0);
  join_all(WAITERS);
  CHECK_EQ(reaped, CHILDREN);
  CHECK_EQ(none, WAITERS);
}

static void fork_sleeper(void *arg, void *arg2) {
  (void)arg, (void)arg2;
  if (must_fork() == 0) {
    sleep(3);
    exit(44);
  }
}

// The thread that made it is gone, and the process is its parent still.
void test_child_outlives_thread(void) {
  spawn(fork_sleeper, 0);
  join_all(1);
  int status = 0;
  CHECK(wait(&status) > 0, "wait failed");
  CHECK_EQ(status, 44);
  CHECK_EQ(wait(0), -1);
}

// ---- many forks ------------------------------------------------------------

enum { FORKERS = 3, FORKS = 15 };

static void fork_on(void *mark, void *unused) {
  (void)unused;
  volatile long mine = (long)mark;
  for (int i = 0; i < FORKS; i++) {
    int pid = must_fork();
    if (pid == 0) {
      CHECK_EQ(mine, (long)mark);
      mine = -1;
      exit(5);
    }
    mine = (long)mark;
    int status = 0;
    CHECK(wait(&status) > 0, "wait failed");
    CHECK_EQ(status, 5);
    CHECK_EQ(mine, (long)mark);
  }
}

void test_forks_in_parallel(void) {
  for (int i = 0; i < FORKERS; i++) spawn(fork_on, 100 + i);
  join_all(FORKERS);
  CHECK_EQ(wait(0), -1);
}

// ---- two that wait for one child --------------------------------------------

static int over;

static void wait_badly(void *arg, void *arg2) {
  (void)arg, (void)arg2;
  while (!get(&over)) wait((int *)KERNBASE);
}

// A thread whose wait cannot store the status has the child in hand for a moment;
// the other thread must not be told then that there is none.
void test_wait_beside_bad_wait(void) {
  spawn(wait_badly, 0);
  for (int i = 0; i < 1000; i++) {
    int pid = must_fork();
    if (pid == 0) exit(7);
    wait_for(pid, 7);
  }
  set(&over, 1);
  join_all(1);
}
