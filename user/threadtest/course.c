// Programs as they are written in courses: one on a thread library with its locks,
// one on clone and join alone.  Each is whole and ends by exit(), in a child.
#include "user/threadtest/threadtest.h"

// ---- on the library --------------------------------------------------------

static lock_t counter_lock;
static int balance, loops, threads;

static void worker(void *arg1, void *arg2) {
  CHECK_EQ(arg1, 11);
  CHECK_EQ(arg2, 22);
  for (int i = 0; i < loops; i++) {
    lock_acquire(&counter_lock);
    int old = balance;
    linger(20);
    balance = old + 1;
    lock_release(&counter_lock);
  }
  exit(0);
}

static void library_program(void *unused) {
  (void)unused;
  threads = 10;
  loops = 300;
  lock_init(&counter_lock);
  for (int i = 0; i < threads; i++) {
    int pid = thread_create(worker, (void *)11, (void *)22);
    CHECK(pid > 0, "thread_create gave %d", pid);
  }
  for (int i = 0; i < threads; i++) CHECK(thread_join() > 0, "thread_join failed");
  CHECK_EQ(balance, threads * loops);
  exit(5);
}

void test_course_library(void) { expect_status(library_program, 0, 5); }

// ---- on the calls ----------------------------------------------------------

static int global = 1;
static int parent_pid;

static void add_up(void *arg1, void *arg2) {
  int first = *(int *)arg1, second = *(int *)arg2;
  CHECK_EQ(first, 35);
  CHECK_EQ(second, 42);
  CHECK_EQ(global, 1);
  CHECK(getpid() > parent_pid, "pid %d of a thread of %d", getpid(), parent_pid);
  global = first + second;
  exit(0);
}

static void clone_program(void *unused) {
  (void)unused;
  int first = 35, second = 42;
  parent_pid = getpid();
  void *block = malloc(2 * PGSIZE), *stack = block, *joined = 0;
  CHECK(block, "no memory");
  if ((uint64)stack % PGSIZE) stack = (char *)block + (PGSIZE - (uint64)block % PGSIZE);
  int pid = clone(add_up, &first, &second, stack);
  CHECK(pid > 0, "clone gave %d", pid);
  CHECK_EQ(join(&joined), pid);
  CHECK_EQ(joined, stack);
  CHECK_EQ(global, 77);
  free(block);
  exit(6);
}

void test_course_clone(void) { expect_status(clone_program, 0, 6); }
