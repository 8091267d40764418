// porttest: what goes to the console harms nobody but the process that prints.  Run by
// portcheck.py, with terminals that are slow or take nothing; on any other it must pass,
// too.
#include "kernel/types.h"
#include "kernel/fcntl.h"
#include "kernel/riscv.h"
#include "user/testlib.h"
#include "user/thread.h"
#include "user/user.h"

#define WATCHED  40   // ticks of 0.1 s that the others are watched
#define PATIENT  10   // ticks that an operation of theirs, or an end, may take
#define PAGES    5000

static char bytes[1 << 16];

static void touch(int pages) {
  char *at = sbrk(pages * PGSIZE);
  CHECK(at != SBRK_ERROR, "no %d pages", pages);
  for (int i = 0; i < pages; i++) at[i * PGSIZE] = 1;
}

// --- processes that print for ever --------------------------------------------

static void print_tables(void) {
  touch(PAGES);
  for (;;) vmprint();
}

static void write_bytes(void) {
  memset(bytes, '.', sizeof(bytes));
  for (int i = 63; i < COUNT_OF(bytes); i += 64) bytes[i] = '\n';
  for (;;) write(1, bytes, sizeof(bytes));
}

static void call_unknown(void) {
  for (;;) asm volatile("li a7, 99\n ecall" ::: "a7", "a0", "memory");
}

static void fault(void) {
  for (;;) {
    int pid = fork();
    if (pid == 0) *(volatile char *)-1 = 0;
    if (pid > 0) wait(0);
  }
}

static void (*const printers[])(void) = {print_tables, write_bytes, call_unknown, call_unknown,
                                         fault};

// Kills a child and waits until it has gone, in time.
static void end(int pid) {
  int status, start = uptime();
  CHECK_EQ(kill(pid), 0);
  CHECK_EQ(wait(&status), pid);
  CHECK_EQ(status, -1);
  CHECK(uptime() - start <= PATIENT, "a killed process went after %d ticks", uptime() - start);
}

// Comes after the last message of orphans, since the port serves in order of arrival.
static void say_ended(void) { printf("\nall printers have ended\n"); }

// --- the tests ----------------------------------------------------------------

static int worst;  // ticks

static void time_of(int start) {
  if (uptime() - start > worst) worst = uptime() - start;
}

// What a process does that prints nothing.
static void do_all(void) {
  int start = uptime(), status;
  CHECK(getpid() > 0, "getpid");
  int fd = open("/README.md", O_RDONLY);
  CHECK(fd >= 0 && read(fd, bytes, 512) == 512, "the file cannot be read");
  close(fd);
  time_of(start);
  start = uptime();
  int pid = must_fork();
  if (pid == 0) exit(0);
  CHECK_EQ(wait(&status), pid);
  time_of(start);
}

static void others_go_on(void) {
  int pids[COUNT_OF(printers)], rounds = 0;
  for (int i = 0; i < COUNT_OF(printers); i++)
    if ((pids[i] = must_fork()) == 0) printers[i]();
  sleep(5);  // what they print has filled every buffer
  for (int start = uptime(); uptime() - start < WATCHED; rounds++) do_all();
  for (int i = 0; i < COUNT_OF(printers); i++) end(pids[i]);
  say_ended();
  CHECK(worst <= PATIENT && rounds > 4, "%d rounds, the worst operation took %d ticks", rounds,
        worst);
}

static void table_printer(void *pages, void *unused) {
  (void)pages, (void)unused;
  for (;;) vmprint();
}

// A thread prints the page table; another changes what it describes.
static void change_and_print(void *unused) {
  (void)unused;
  touch(PAGES);
  CHECK(thread_create(table_printer, 0, 0) > 0, "no thread");
  sleep(5);
  for (int start = uptime(), at; uptime() - start < WATCHED / 2;) {
    at = uptime();
    CHECK(sbrk(PGSIZE) != SBRK_ERROR && sbrk(-PGSIZE) != SBRK_ERROR, "sbrk");
    time_of(at);
  }
  CHECK(worst <= PATIENT, "sbrk beside vmprint took %d ticks", worst);
}

static void tables_change(void) { EXPECT_OK(change_and_print, 0); }

// Also where the terminal takes all that comes.
static void killed_printers(void) {
  for (int i = 0; i < COUNT_OF(printers); i++) {
    int pid = must_fork();
    if (pid == 0) {
      if (printers[i] == write_bytes) write(1, sbrk(16 << 20), 16 << 20);
      printers[i]();
    }
    sleep(1);
    end(pid);
  }
  say_ended();
}

int main(int argc, char **argv) {
  static const struct test tests[] = {
      {"others go on", others_go_on},
      {"tables change", tables_change},
      {"killed printers", killed_printers},
  };
  static const struct suite suite = {0, "test %s:\n", "test %s: OK\n", "test %s: FAILED\n",
                                     "ALL TESTS PASSED\n", tests, COUNT_OF(tests)};
  return run_tests(&suite, argc, argv);
}
