// What the tests of threads share.  A test runs in a process of its own, below one
// that looks at the clock: a test that hangs is killed and has failed.
#pragma once

#include "kernel/types.h"
#include "kernel/futex.h"
#include "kernel/memlayout.h"
#include "kernel/param.h"
#include "kernel/riscv.h"
#include "user/testlib.h"
#include "user/thread.h"
#include "user/user.h"

#define TEST(name) void test_##name(void);
#include "user/threadtest/tests.h"
#undef TEST

enum {
  PATIENCE = 300,  // ticks that a single step may take
  PROMPT = 80,     // ticks that a kill may take to be obeyed, on a very busy machine
};

#define MOST  0x7fffffff  // FUTEX_WAKE: everybody

// In a thread exit(1) would end that thread alone, so a failed check here ends the
// whole process with status 1, by way of exec.
#undef CHECK
#undef CHECK_EQ
#define CHECK(cond, ...)                                       \
  do {                                                         \
    if (!(cond)) failed(__FILE__, __LINE__, #cond, __VA_ARGS__); \
  } while (0)
#define CHECK_EQ(seen, expected) \
  check_equal(__FILE__, __LINE__, #seen, (uint64)(seen), (uint64)(expected))

void failed(const char *file, int line, const char *what, const char *format, ...)
    __attribute__((noreturn)) PRINTF_LIKE(4);
void check_equal(const char *file, int line, const char *what, uint64 seen, uint64 expected);

// --- Words that threads share ---

static inline int get(const int *word) { return __atomic_load_n(word, __ATOMIC_ACQUIRE); }
static inline void set(int *word, int value) { __atomic_store_n(word, value, __ATOMIC_RELEASE); }
static inline int add(int *word, int n) { return __atomic_fetch_add(word, n, __ATOMIC_ACQ_REL); }

// Spin, or sleep tick by tick, until *word is at least `value`; a CHECK ends the wait.
void spin_until(const int *word, int value);
void doze_until(const int *word, int value);

// Whether `ticks` have passed since uptime() was `start`.
int passed(int start, int ticks);

// Spins for about n turns of a loop.
void linger(int n);

// Where n threads meet, again and again.
struct barrier {
  int n, arrived, phase;
};
void barrier_wait(struct barrier *b);

// --- Threads ---

typedef void thread_fn(void *arg, void *arg2);

// thread_create and thread_join that cannot fail; the pid of the new thread, and
// join for n threads.
int spawn(thread_fn *fn, long arg);
void join_all(int n);

// clone that cannot fail, and a page from a static store for its stack.  Nobody
// gives such pages back.
int must_clone(thread_fn *fn, long arg, char *stack);
char *stack_page(void);
enum { STACK_PAGES = 600 };

// --- Processes ---

// Frames free once all is quiet: the watch over this test sleeps, and what this
// process writes in any case is its own.
uint64 frames_at_rest(void);

// The forks and waits of testlib, for any thread.
int fork_checked(void);
void wait_for(int pid, int status);

// Runs fn(arg) in a child and CHECKs its status.
void expect_status(void (*fn)(void *), long arg, int status);

// What a thread may be busy with; each never ends by itself.
enum occupation {
  SPINS, READS_PIPE, WRITES_PIPE, SLEEPS, FUTEX, JOINS, WAITS, WRITES_FILE, FAULTS, OCCUPATIONS
};

// Makes what threads in occupations need; before any of them starts.
void prepare_occupations(void);

// Announces itself and is busy.
void occupy(enum occupation what) __attribute__((noreturn));

// A thread for each occupation, all of them busy or about to be.
void spawn_occupied(void);
extern int occupied;  // how many have announced themselves

// Removes what they leave behind on the disk.
void clean_up_occupations(void);

// What main does as another program: see helper.c.  argv[1] says what; returns the
// status, or -1 if that is not the name of anything.
enum { HELPED = 4321 };
int help(int argc, char **argv);

// exec of this program as that helper; -1 when it fails.
int exec_helper(const char *what, const char *arg);
