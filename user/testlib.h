// What test programs share: a runner that gives each test a process of its own
// and counts the frames it leaves behind, and checks that say what was expected
// and what was seen.
//
// A test is a function that returns when all is well.  It runs in a child, so it
// may be killed, grow without shrinking and leave descriptors open.  It must not
// leave running descendants or files behind.  The stack is one page: keep large
// arrays static or take them from sbrk.
#pragma once

#include "kernel/types.h"
#include "kernel/memstat.h"
#include "user/user.h"

struct test {
  const char *name;
  void (*fn)(void);
};

// The tests of a program and the form of its output.  `start`, `ok` and `failed`
// are printf formats whose only argument is the test's name, as %s or not at all.
struct suite {
  const char *banner;  // printed first; 0: nothing
  const char *start;   // printed before a test
  const char *ok;      // printed after one that passed
  const char *failed;  // printed after one that did not
  const char *passed;  // the last line when all passed
  const struct test *tests;
  int count;
};

#define COUNT_OF(array)  ((int)(sizeof(array) / sizeof((array)[0])))

// Runs the tests named in argv[1..], or all where none is named, each in a child.
// A test fails when its child ends with a status other than 0, or when the
// machine has fewer frames free or kept after it than before.  `-l` lists the names.
// Returns what main should return: 0 when every test passed, else 1.
int run_tests(const struct suite *suite, int argc, char **argv);

// Ends the calling process with status 1 and a line that names file, line,
// the expression and the message, unless cond holds.
#define CHECK(cond, ...)                                            \
  do {                                                              \
    if (!(cond)) test_failed(__FILE__, __LINE__, #cond, __VA_ARGS__); \
  } while (0)

// The same for two numbers or addresses that ought to be equal.
#define CHECK_EQ(seen, expected) \
  test_equal(__FILE__, __LINE__, #seen, (uint64)(seen), (uint64)(expected))

void test_failed(const char *file, int line, const char *what, const char *format, ...)
    __attribute__((noreturn)) PRINTF_LIKE(4);
void test_equal(const char *file, int line, const char *what, uint64 seen, uint64 expected);

// What a failed check does last: exit(1).  A program with threads, where that would
// end one thread alone, has a function of this name instead, which ends the process.
void test_end(void) __attribute__((noreturn));

// fork that cannot fail: a failure ends the caller as CHECK does.
int must_fork(void);

// Runs fn(arg) in a child, which exits with 0 when fn returns.  Returns the
// status that wait reported for it: -1 for a child that was killed.  The caller
// takes no fault until then, so fn may count faults and use up all memory.  The
// caller must have no other child that may end meanwhile.
int child_status(void (*fn)(void *arg), void *arg);

// Run fn(arg) in a child and CHECK that it is killed, or that it returns.
#define EXPECT_KILLED(fn, arg)  CHECK_EQ(child_status(fn, (void *)(uint64)(arg)), -1)
#define EXPECT_OK(fn, arg)      CHECK_EQ(child_status(fn, (void *)(uint64)(arg)), 0)

// Waits for one child and CHECKs that it ended with this status.
void must_wait(int status);

// Frames that nothing uses now: free, those cached by harts included, or part of what
// the kernel keeps ready for reuse.  For accounts; how much can be had is memstat's free.
uint64 free_frames(void);

// CHECKs that free_frames() is `expected`, after giving processes that are just
// ending (a killed child's orphans, which init reaps) up to five seconds.
void check_free_frames(const char *file, int line, uint64 expected);
#define CHECK_FREE(expected)  check_free_frames(__FILE__, __LINE__, expected)

// How many processes and threads there are; of more than 64, 64.
int process_count(void);

// Waits, for five seconds at most, until no more than `processes` are left and all
// but the caller sleep; for before frames are counted.  Init may take its time to
// reap an orphan, and whoever is interrupted in a copy-on-write fault, as a parent
// after fork, has for that long a frame more than in the end.  One thread at a time.
void await_quiet(int processes);

// A snapshot of the counters, and the growth of one since a snapshot.
struct memstat memstat_now(void);
#define GROWTH(since, counter)  (memstat_now().counter - (since).counter)

// sbrk for any 64-bit size, in steps that fit an int: moves the break by
// `bytes` lazily and returns the old break, or SBRK_ERROR with it unchanged.
char *sbrk_by(long bytes);

// A one-way gate between processes that share it by fork: gate_wait blocks until
// gate_open has let one more pass.  Who waits can no longer open, so that a wait
// fails, as a CHECK, when everybody who could end it is gone.
struct gate {
  int fd[2];
};
void gate_make(struct gate *gate);
void gate_open(struct gate *gate, int passes);
void gate_wait(struct gate *gate);
void gate_close(struct gate *gate);
