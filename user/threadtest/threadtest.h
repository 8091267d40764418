// What the tests of threads share.  A test runs in a process of its own, below one
// that looks at the clock: a test that hangs is killed and has failed.
#pragma once

#include "kernel/atomic.h"
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

// --- Words that threads share ---

static inline int get(const int *word) { return atomic_load_acquire(word); }
static inline void set(int *word, int value) { atomic_store_release(word, value); }
static inline int add(int *word, int n) { return atomic_add_acq_rel(word, n); }

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

// Frames free once all is quiet: those above this test sleep, and what this process
// writes in any case is its own.
uint64 frames_at_rest(void);

// Waits for a child and CHECKs that it is this one and ended with this status.
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
