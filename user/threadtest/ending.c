// How a process with threads ends: by its leader's exit, by a fault or a kill of any
// of them; wherever the others are, soon, and with the right status.
#include "user/threadtest/threadtest.h"

void raw_return(void *, void *);

enum { STATUS = 77 };

static int report[2];  // a child's pid, or a thread's, on its way to the test

// ---- processes full of busy threads ----------------------------------------

static void tell(int pid) { CHECK_EQ(write(report[1], &pid, sizeof(pid)), sizeof(pid)); }

static void tell_and_spin(void *unused, void *unused2) {
  (void)unused, (void)unused2;
  tell(getpid());
  for (;;) linger(1000);
}

// Starts a thread in every occupation, waits until all are busy.
static void fill_with_threads(void) {
  prepare_occupations();
  spawn_occupied();
  doze_until(&occupied, OCCUPATIONS);
  sleep(1);
}

// Runs body in a child full of threads; returns the child's status and checks that it
// comes soon after the body has told somebody's pid.
static int end_of(void (*body)(void *), long arg) {
  CHECK_EQ(pipe(report), 0);
  int child = must_fork();
  if (child == 0) {
    fill_with_threads();
    body((void *)arg);
    exit(0);
  }
  int pid = 0, status = 0;
  CHECK_EQ(read(report[0], &pid, sizeof(pid)), sizeof(pid));
  int start = uptime();
  CHECK_EQ(wait(&status), child);
  CHECK(!passed(start, PROMPT), "the end took %d ticks", uptime() - start);
  close(report[0]);
  close(report[1]);
  clean_up_occupations();
  return status;
}

// ---- the process ends itself -----------------------------------------------

static void exit_now(void *unused) {
  (void)unused;
  tell(0);
  exit(STATUS);
}
void test_exit_ends_all(void) {
  for (int i = 0; i < 3; i++) CHECK_EQ(end_of(exit_now, 0), STATUS);
}

static void fault_thread(void *unused, void *unused2) {
  (void)unused, (void)unused2;
  tell(0);
  *(volatile int *)KERNBASE = 1;
}
static void fault_now(void *leader) {
  if (!leader) fault_thread(0, 0);
  spawn(fault_thread, 0);
  occupy(*(enum occupation *)leader);
}
void test_fault_ends_all(void) {
  static enum occupation leader[] = {JOINS, SPINS};  // SPINS: has to be interrupted
  CHECK_EQ(end_of(fault_now, 0), -1);
  for (int i = 0; i < 2; i++) CHECK_EQ(end_of(fault_now, (long)&leader[i]), -1);
}

// A function that was cloned has nowhere to return to, and may not execute its stack.
static void return_now(void *unused) {
  (void)unused;
  tell(0);
  must_clone(raw_return, 0, stack_page());
  occupy(READS_PIPE);
}
void test_return_to_nowhere(void) { CHECK_EQ(end_of(return_now, 0), -1); }

static void kill_me(void *unused, void *unused2) {
  (void)unused, (void)unused2;
  tell(0);
  kill(getpid());
}
static void be_killed(void *in_thread) {
  if (!in_thread) kill_me(0, 0);
  spawn(kill_me, 0);
  occupy(SLEEPS);
}
void test_kill_oneself(void) {
  CHECK_EQ(end_of(be_killed, 0), -1);
  CHECK_EQ(end_of(be_killed, 1), -1);
}

// ---- somebody else kills it ------------------------------------------------

struct victim {
  enum occupation leader;
  int thread;  // whether it is a thread that is killed
};

static void live(const struct victim *victim) {
  fill_with_threads();
  if (victim->thread)
    spawn(tell_and_spin, 0);
  else
    tell(getpid());
  occupy(victim->leader);
}

// The leader is busy with one thing after the other, the threads with all of them.
static void kill_in_all_occupations(int thread) {
  for (int what = 0; what < OCCUPATIONS; what++) {
    struct victim victim = {what, thread};
    int pid = 0;
    CHECK_EQ(pipe(report), 0);
    int child = must_fork();
    if (child == 0) live(&victim);
    CHECK_EQ(read(report[0], &pid, sizeof(pid)), sizeof(pid));
    CHECK_EQ(pid != child, thread);
    sleep(what % 3);
    int start = uptime();
    CHECK_EQ(kill(pid), 0);
    wait_for(child, -1);
    CHECK(!passed(start, PROMPT), "occupation %d: it took %d ticks", what, uptime() - start);
    CHECK_EQ(kill(pid), -1);
    close(report[0]);
    close(report[1]);
    clean_up_occupations();
  }
}

void test_kill_leader(void) { kill_in_all_occupations(0); }
void test_kill_thread(void) { kill_in_all_occupations(1); }

// ---- races -----------------------------------------------------------------

static int go;
static void exit_on_go(void *delay, void *unused) {
  (void)unused;
  spin_until(&go, 1);
  linger((long)delay);
  exit(1);
}

static void exit_together(void *round) {
  enum { THREADS = 5 };
  for (int i = 0; i < THREADS; i++)
    must_clone(exit_on_go, (i * 7 + (long)round) % 50, stack_page());
  linger((long)round * 100);
  set(&go, 1);
  linger((long)round * 13 % 50);
  exit(STATUS);
}

// All threads leave at the moment at which the leader ends them.
void test_all_exit_at_once(void) {
  uint64 before = frames_at_rest();
  for (int start = uptime(), round = 0; round < 60 && !passed(start, 25); round++)
    expect_status(exit_together, round, STATUS);
  CHECK_FREE(before);
}

static void nothing(void *arg, void *arg2) {
  (void)arg, (void)arg2;
  exit(0);
}
static void clone_on(void *stack, void *unused) {
  (void)unused;
  for (char *mine = stack;;) {
    int pid = clone(nothing, 0, 0, mine);
    if (pid > 0) CHECK_EQ(join(0), pid);
  }
}

enum end { BY_EXIT, BY_EXEC, BY_FAULT, BY_KILL, ENDS };
static const int statuses[ENDS] = {STATUS, HELPED, -1, -1};

static void end_by(void *how, void *unused) {
  (void)unused;
  linger((uint64)uptime() * 7919 % 30000);
  enum end end = (long)how;
  if (end == BY_EXIT) exit(STATUS);
  if (end == BY_EXEC) exec_helper("-report", "");
  if (end == BY_FAULT) *(volatile int *)KERNBASE = 1;
  if (end == BY_KILL) kill(getpid());
  exit(1);
}

// Some threads make others as fast as they can, which end as fast, while the leader
// or one more thread brings it all to an end.
static void churn(void *how) {
  for (int i = 0; i < 3; i++) must_clone(clone_on, (long)stack_page(), stack_page());
  long end = (long)how % ENDS;
  if ((long)how < ENDS) end_by((void *)end, 0);
  must_clone(end_by, end, stack_page());
  occupy(SPINS);
}

// No slot, frame or file is lost by it.
void test_churn_and_end(void) {
  uint64 before = frames_at_rest();
  for (int round = 0, start = uptime(); round < 12 && !passed(start, 30); round++)
    for (int how = 0; how < 2 * ENDS; how++)
      if (how != ENDS + BY_EXIT) expect_status(churn, how, statuses[how % ENDS]);
  CHECK_FREE(before);
}

static void end_at_once(void *arg, void *arg2) { (void)arg, (void)arg2; }

static void kill_ended(void *unused) {
  (void)unused;
  int pid = spawn(end_at_once, 0);
  sleep(2);
  CHECK_EQ(kill(pid), 0);
  sleep(PROMPT);
}

// A thread that has ended is there until it is joined, and a kill of it ends its
// process all the same.
void test_kill_ended_thread(void) { expect_status(kill_ended, 0, -1); }
