// The life of processes: fork, exit, wait, kill, sleep, orphans.
#include "user/usertests/ut.h"

// --- Orphans and the race of exit with wait ---

// A chain of processes whose middle goes away at once.  `rounds` times the
// caller's child leaves `orphans` children behind, which init must reap.
static void leave_orphans(int rounds, int orphans, int die_late) {
  for (int i = 0; i < rounds; i++) {
    if (must_fork() != 0) {
      join_all(1);
      continue;
    }
    for (int k = 0; k < orphans; k++)
      if (must_fork() == 0) {
        if (die_late && k == 0) sleep(0);
        exit(3);
      }
    exit(0);
  }
}

void test_reparent(void) { leave_orphans(120, 1, 1); }

void test_reparent2(void) {
  leave_orphans(150, 2, 0);
  leave_orphans(8, 6, 1);
}

// Two children at a time, ending in either order, each with a status of its own.
void test_twochildren(void) {
  for (int i = 0; i < 250; i++) {
    int pids[2], seen = 0;
    for (int k = 0; k < 2; k++)
      if ((pids[k] = must_fork()) == 0) exit(1000 * i + k);
    for (int k = 0; k < 2; k++) {
      int status, pid = wait(&status);
      int which = pid == pids[1];
      EXPECT_AT(i, pid, ==, pids[which]);
      EXPECT_AT(i, status, ==, 1000 * i + which);
      seen |= 1 << which;
    }
    EXPECT_AT(i, seen, ==, 3);
    EXPECT_AT(i, wait(0), ==, -1);
  }
}

// Parents that fork all the time, side by side.
void test_forkfork(void) {
  for (int i = 0; i < 3; i++) {
    if (must_fork() != 0) continue;
    for (int k = 0; k < 120; k++) EXPECT(child_status(load_at, (void *)stack_page()), ==, 0);
    exit(0);
  }
  join_all(3);
}

// Descendants that fork as fast as they can, until told to stop by a file; their
// parents do not wait for them.  A pipe that they all hold says when the last is
// gone.
static void multiply(void *unused) {
  (void)unused;
  while (!exists("stop"))
    if (fork() < 0) close(open("stop", O_CREATE | O_RDWR));
}

void test_forkforkfork(void) {
  int ends[2];
  char nothing;
  struct start line;
  EXPECT(pipe(ends), ==, 0);
  start_make(&line);
  if (must_fork() == 0) {
    start_wait(&line);
    close(ends[0]);
    multiply(0);
    exit(0);
  }
  close(ends[1]);
  start_now(&line);
  sleep(5);
  for (int fd = -1; fd < 0; sleep(1))  // all file slots may be taken for a moment
    fd = open("stop", O_CREATE | O_RDWR);
  EXPECT(read(ends[0], &nothing, 1), ==, 0);
  wait_status();  // it may have died of the crowd: memory is not endless
  EXPECT(child_status(load_at, (void *)stack_page()), ==, 0);
}

// --- Status ---

// exit's whole int arrives; so does the -1 of a killed one, killed where it
// computes, sleeps or waits.
static void be_killable(int how) {
  int ends[2];
  EXPECT(pipe(ends), ==, 0);
  char byte;
  switch (how) {
    case 0: for (;;) {}
    case 1: for (;;) getpid();
    case 2: for (;;) sleep(100);
    case 3: read(ends[0], &byte, 1); exit(5);
    case 4: for (;;) write(ends[1], "0123456789abcdef", 16);
    default:
      if (must_fork() == 0) {
        sleep(3);
        exit(0);
      }
      wait(0);
      for (;;) sleep(1);
  }
}

void test_exitwait(void) {
  static const int statuses[] = {0, 1, -1, 2, 255, 256, -2, 0x7fffffff, -0x7fffffff - 1};
  for (int round = 0; round < 20; round++)
    for (int i = 0; i < COUNT_OF(statuses); i++) {
      int pid = must_fork(), status = 4;
      if (pid == 0) exit(statuses[i]);
      if (round % 3 == 0) sleep(0);
      EXPECT_AT(i, wait(&status), ==, pid);
      EXPECT_AT(i, status, ==, statuses[i]);
    }
  EXPECT(wait(0), ==, -1);
}

void test_killstatus(void) {
  for (int round = 0; round < 3; round++)
    for (int how = 0; how < 6; how++) {
      int pid = must_fork();
      if (pid == 0) be_killable(how);
      if (round > 0) sleep(round - 1);
      EXPECT_AT(how, kill(pid), ==, 0);
      EXPECT_AT(how, wait_status(), ==, KILLED);
      EXPECT_AT(how, kill(pid), ==, -1);
    }
  int ends[2], pid;
  char nothing;
  EXPECT(pipe(ends), ==, 0);
  if ((pid = must_fork()) == 0) exit(6);
  close(ends[1]);
  EXPECT(read(ends[0], &nothing, 1), ==, 0);  // it is in exit, or a zombie
  EXPECT(kill(pid), ==, 0);
  EXPECT(wait_status(), ==, 6);
  EXPECT(kill(-1), ==, -1);
  EXPECT(kill(0), ==, -1);
  EXPECT(kill(0x7fffffff), ==, -1);
}

// Processes that compute without a system call share the harts with one that
// wants to get something done.
void test_preempt(void) {
  int pids[10];
  for (int i = 0; i < COUNT_OF(pids); i++)
    if ((pids[i] = must_fork()) == 0) be_killable(0);
  int ends[2];
  char byte = 0;
  EXPECT(pipe(ends), ==, 0);
  int pid = must_fork();
  if (pid == 0) {
    for (int i = 0; i < 3; i++) sleep(1);
    exit(write(ends[1], "P", 1) != 1);
  }
  EXPECT(read(ends[0], &byte, 1), ==, 1);
  EXPECT(byte, ==, 'P');
  EXPECT(wait_status(), ==, 0);
  kill_all(pids, COUNT_OF(pids));
}

// --- Limits ---

// fork fails in the end, soon, and harms nobody; afterwards it works again.
void test_forktest(void) {
  struct start line;
  start_make(&line);
  uint made = 0;
  int pid = -1, begin = uptime();
  while (memstat_now().free > 100 + 2 * made && (pid = fork()) > 0) made++;
  if (pid == 0) {
    start_wait(&line);
    exit(0);
  }
  EXPECT(made, >=, 50);
  EXPECT(made, <, 2000);
  if (pid < 0) EXPECT(fork(), ==, -1);  // not where memory ended first
  start_now(&line);
  join_all(made);
  EXPECT(wait(0), ==, -1);
  EXPECT(uptime() - begin, <, 300);
  EXPECT(child_status(load_at, (void *)stack_page()), ==, 0);
}

// --- Kills at any moment ---

// What a victim does until it ends: every path that a kill may cut in two.
// Its words are wrong only if the kernel mixed up pages.
static void victim(char *shared, uint64 pages, int kind) {
  int ends[2];
  char byte;
  for (uint64 n = 0;; n++) {
    char *heap = page_break();
    grow(16 * PGSIZE);
    mark_pages(heap, 16, n);
    if (kind % 2) mark_pages(shared, pages, n);
    int pid = kind < 2 ? -1 : fork();
    if (pid == 0) {
      mark_pages(heap, 16, n + 1);
      exit(mark_flaw(heap, 16, n + 1) == -1 ? 0 : 1);
    }
    EXPECT(mark_flaw(heap, 16, n), ==, -1);
    if (pid > 0) EXPECT(wait_status(), ==, 0);
    EXPECT(pipe(ends), ==, 0);
    EXPECT(write(ends[1], heap, 1), ==, 1);
    EXPECT(read(ends[0], &byte, 1), ==, 1);
    close(ends[0]);
    close(ends[1]);
    shrink(16 * PGSIZE);
  }
}

// The runner counts the frames afterwards.  (Pitfall 13.)
void test_kill_anywhere(void) {
  uint64 pages = 8;
  char *shared = page_break();
  grow(pages * PGSIZE);
  mark_pages(shared, pages, 1);
  for (int round = 0; round < 25; round++) {
    int pids[6];
    for (int i = 0; i < COUNT_OF(pids); i++)
      if ((pids[i] = must_fork()) == 0) victim(shared, pages, i);
    if (round % 3) sleep(round % 3 - 1);
    for (volatile uint64 spin = next_random() % 200000; spin > 0; spin--) {
    }
    for (int i = 0; i < COUNT_OF(pids); i++) EXPECT(kill(pids[i]), ==, 0);
    for (int i = 0; i < COUNT_OF(pids); i++) EXPECT_AT(i, wait_status(), ==, KILLED);
    EXPECT(mark_flaw(shared, pages, 1), ==, -1);
  }
}

// Killed between the request to the disk and its answer, in the middle of a
// create, a write or an unlink: whatever is left is a good file system.
// (Pitfall 48.)
static void churn_files(int i) {
  char name[8];
  for (;;) {
    name_of(name, "churn", i);
    int fd = open(name, O_CREATE | O_TRUNC | O_RDWR);
    for (int k = 0; fd >= 0 && k < 4; k++) write(fd, (char *)stack_page(), BSIZE);
    close(fd);
    unlink(name);
  }
}

void test_kill_disk(void) {
  for (int round = 0; round < 12; round++) {
    int pids[4];
    for (int i = 0; i < COUNT_OF(pids); i++)
      if ((pids[i] = must_fork()) == 0) churn_files(i);
    sleep(round % 2);
    for (volatile uint64 spin = next_random() % 300000; spin > 0; spin--) {
    }
    kill_all(pids, COUNT_OF(pids));
    file_make("after", 5000, round);
    file_check("after", 5000, round);
  }
}

// init stays.  (Pitfall 52.)
void test_kill_init(void) {
  EXPECT(kill(1), ==, -1);
  leave_orphans(3, 2, 0);
  sleep(1);
  EXPECT(kill(1), ==, -1);
}

// --- Time ---

// A sleeper killed early does not sleep on; nor does one wake early.
void test_kill_sleep(void) {
  int begin = uptime();
  int pid = must_fork();
  if (pid == 0) {
    sleep(1000000);
    exit(0);
  }
  sleep(2);
  EXPECT(kill(pid), ==, 0);
  EXPECT(wait_status(), ==, KILLED);
  EXPECT(uptime() - begin, <, 600);
}

void test_clock(void) {
  int last = uptime();
  for (int i = 0; i < 2000; i++) {
    int now = uptime();
    EXPECT(now, >=, last);
    last = now;
  }
  static const int naps[] = {0, 1, 2, 5};
  for (int i = 0; i < COUNT_OF(naps); i++) {
    int begin = uptime();
    EXPECT(sleep(naps[i]), ==, 0);
    EXPECT_AT(naps[i], uptime() - begin, >=, naps[i]);
  }
  int begin = uptime(), sum = 0;
  for (int i = 8; i > 0; i--)  // many at once, each with a time of its own
    if (must_fork() == 0) {
      int slept = uptime();
      sleep(i);
      EXPECT(uptime() - slept, >=, i);
      exit(1 << i);
    }
  for (int i = 0; i < 8; i++) sum += wait_status();
  EXPECT(sum, ==, 0x1fe);
  EXPECT(uptime() - begin, >=, 8);
}

// --- Registers ---

#define EACH_KEPT  ".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11\n"

// fork() with a value in each register that calls must keep.  *changed: bits in which
// any of them differs afterwards.  gp and s0 wait in two that the kernel keeps as well.
static long fork_marked(uint64 *changed) {
  register long a7 asm("a7") = SYS_fork;
  register long a0 asm("a0");
  register uint64 wrong asm("t0");
  asm volatile("mv t1, gp\n mv t2, s0\n li gp, 99\n"
               EACH_KEPT "li s\\n, 100 + \\n\n .endr\n"
               "ecall\n"
               "addi t0, gp, -99\n"
               EACH_KEPT "addi s\\n, s\\n, -100 - \\n\n or t0, t0, s\\n\n .endr\n"
               "mv gp, t1\n mv s0, t2\n"
               : "=r"(a0), "=&r"(wrong)
               : "r"(a7)
               : "t1", "t2", "s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11",
                 "memory");
  *changed = wrong;
  return a0;
}

// Parent and child go on with the registers that the parent had.
void test_fork_registers(void) {
  for (int i = 0; i < 20; i++) {
    uint64 changed;
    long pid = fork_marked(&changed);
    EXPECT_AT(i, changed, ==, 0);
    if (pid == 0) exit(0);
    EXPECT_AT(i, pid, >, 0);
    join_all(1);
  }
}

uint64 registers_stay(uint64 mark, uint64 rounds);  // registers.S

// More processes than harts, each with marks of its own in all registers, are
// interrupted and take turns.
void test_own_registers(void) {
  enum { PROCESSES = 16, TIMES = 25, ROUNDS = 1000000 };
  struct start line;
  start_make(&line);
  for (uint64 i = 1; i <= PROCESSES; i++)
    if (must_fork() == 0) {
      start_wait(&line);
      for (int n = 0; n < TIMES; n++) EXPECT_AT(n, registers_stay(i << 12, ROUNDS), ==, 0);
      exit(0);
    }
  start_now(&line);
  join_all(PROCESSES);
}

static long call_number(long number) {
  register long a7 asm("a7") = number;
  register long a0 asm("a0") = 1;
  asm volatile("ecall" : "+r"(a0) : "r"(a7) : "memory");
  return a0;
}

// Numbers that no call has, and those that are left to xv6 and its labs.  (Pitfall 83.)
void test_unknown_call(void) {
  static const long numbers[] = {0, 500, -1, 0x7fffffff};
  for (int i = 0; i < COUNT_OF(numbers); i++) EXPECT_AT(numbers[i], call_number(numbers[i]), ==, -1);
  for (long number = 23; number < 64; number++) EXPECT_AT(number, call_number(number), ==, -1);
  EXPECT(call_number(22), ==, 0);
}
