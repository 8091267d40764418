// exec in a process with threads: one program runs in the end, as the process that
// it was, or, when exec fails, nothing has happened to anybody.
#include "user/threadtest/threadtest.h"

static int ends[2], counter, stop, refused, ready;

static void exec_in_thread(void *arg, void *unused) {
  (void)unused;
  exec_helper("-report", arg);
  test_failed(__FILE__, __LINE__, "no return", "exec has failed");
}

// ---- the new program -------------------------------------------------------

// Full of threads, all of which are busy.
static void fill(void) {
  prepare_occupations();
  spawn_occupied();
  doze_until(&occupied, OCCUPATIONS);
}

static void leader_execs(void *unused) {
  (void)unused;
  fill();
  exec_in_thread("", 0);
}

static void thread_execs(void *leader) {
  fill();
  spawn(exec_in_thread, (long)"");
  occupy((enum occupation)(long)leader);
}

void test_exec_from_leader(void) {
  for (int i = 0; i < 3; i++) expect_status(leader_execs, 0, HELPED);
  clean_up_occupations();
}

// The leader is busy with one thing after the other.
void test_exec_from_thread(void) {
  for (int leader = 0; leader < OCCUPATIONS; leader++)
    expect_status(thread_execs, leader, HELPED);
  clean_up_occupations();
}

static void in_place(void *from_thread) {
  static char fd[2];
  fd[0] = '0' + ends[1];
  if (!from_thread) exec_in_thread(fd, 0);
  spawn(exec_in_thread, (long)fd);
  occupy(SPINS);
}

// The new program has the process's pid and descriptors.
void test_exec_keeps_descriptors(void) {
  CHECK_EQ(pipe(ends), 0);
  for (int from_thread = 0; from_thread < 2; from_thread++) {
    int child = must_fork(), pid = 0;
    if (child == 0) in_place((void *)(long)from_thread);
    wait_for(child, HELPED);
    CHECK_EQ(read(ends[0], &pid, sizeof(pid)), sizeof(pid));
    CHECK_EQ(pid, child);
  }
}

// ---- races -----------------------------------------------------------------

static struct barrier all = {.n = 3};

static void exec_at_once(void *arg, void *unused) {
  (void)unused;
  barrier_wait(&all);
  exec_helper("-report", arg);
  exit(0);
}

static void exec_three_times(void *unused) {
  (void)unused;
  static char fd[2];
  fd[0] = '0' + ends[1];
  for (int i = 0; i < 2; i++) spawn(exec_at_once, (long)fd);
  exec_at_once(fd, 0);
}

// Three at the same moment, one of them the leader: one program runs.
void test_exec_twice(void) {
  CHECK_EQ(pipe(ends), 0);
  for (int i = 0, start = uptime(); i < 25 && !passed(start, 25); i++) {
    int child = must_fork(), pid = 0;
    if (child == 0) exec_three_times(0);
    wait_for(child, HELPED);
    CHECK_EQ(read(ends[0], &pid, sizeof(pid)), sizeof(pid));
    CHECK_EQ(pid, child);
    CHECK_EQ(write(ends[1], "x", 1), 1);  // so that a second report would be seen
    CHECK_EQ(read(ends[0], &pid, sizeof(pid)), 1);
  }
}

static void exec_or_exit(void *round) {
  all.n = 2;
  spawn(exec_at_once, (long)"");
  barrier_wait(&all);
  linger((long)round * 400);
  exit(5);
}

// The leader ends while a thread has a program for it: either way is well.
void test_exec_against_exit(void) {
  uint64 before = frames_at_rest();
  for (int i = 0, start = uptime(); i < 40 && !passed(start, 25); i++) {
    int child = must_fork(), status = 0;
    if (child == 0) exec_or_exit((void *)(long)i);
    CHECK_EQ(wait(&status), child);
    CHECK(status == 5 || status == HELPED, "status %d", status);
  }
  CHECK_FREE(before);
}

// ---- failures --------------------------------------------------------------

static void count_on(void *arg, void *arg2) {
  (void)arg, (void)arg2;
  while (!get(&stop)) add(&counter, 1);
}

static void try_all(void *arg, void *arg2) {
  (void)arg, (void)arg2;
  static char *none[] = {"x", 0}, *bad[] = {"x", (char *)KERNBASE, 0};
  static char *many[MAXARG + 2];
  for (int i = 0; i <= MAXARG; i++) many[i] = "many";
  CHECK_EQ(exec("/no such file", none), -1);
  CHECK_EQ(exec("/README.md", none), -1);
  CHECK_EQ(exec("/", none), -1);
  CHECK_EQ(exec((char *)USERTOP, none), -1);
  CHECK_EQ(exec("/threadtest", (char **)-8), -1);
  CHECK_EQ(exec("/threadtest", 0), -1);
  CHECK_EQ(exec("/threadtest", bad), -1);
  CHECK_EQ(exec("/threadtest", many), -1);
  add(&refused, 1);
}

static void be_there(void *arg, void *arg2) {
  (void)arg, (void)arg2;
  add(&ready, 1);
}

// All threads go on, and there may be new ones.
void test_exec_fails(void) {
  spawn(count_on, 0);
  try_all(0, 0);
  spawn(try_all, 0);
  doze_until(&refused, 2);
  int seen = get(&counter);
  spin_until(&counter, seen + 1);
  spawn(be_there, 0);
  doze_until(&ready, 1);
  set(&stop, 1);
  join_all(3);
  CHECK_EQ(thread_join(), -1);
}
