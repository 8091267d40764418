// Creating and joining threads (user/thread.h).
//
// A thread's block of heap holds, at its first page border, what the thread needs to
// know, and above that its stack.  clone and join speak of the stack by its last page.
#include "user/thread.h"

#include "heap.h"
#include "lock.h"
#include "user/user.h"

#define PAGE         4096
#define LAST_PAGE    (THREAD_STACK - PAGE)  // from the first border

struct head {
  void *block;  // for free
  void (*start)(void *, void *);
  void *arg1, *arg2;
};

static void run(void *at, void *unused) {
  struct head *head = at;
  (void)unused;
  head->start(head->arg1, head->arg2);
  exit(0);
}

int thread_create(void (*start)(void *, void *), void *arg1, void *arg2) {
  char *block = malloc(THREAD_STACK + PAGE);
  if (block == 0) return -1;
  char *border = block + -(uint64)block % PAGE;
  struct head *head = (struct head *)border;
  *head = (struct head){block, start, arg1, arg2};
  int pid = clone(run, head, 0, border + LAST_PAGE);
  if (pid < 0) free(block);
  return pid;
}

int thread_join(void) {
  void *stack;
  int pid = join(&stack);
  if (pid >= 0) free(((struct head *)((char *)stack - LAST_PAGE))->block);
  return pid;
}

// In a program that creates threads this stands in for the system call's stub, which
// is weak: the child has no other threads, so none may be in the heap as it begins.
int fork(void) {
  heap_hold();
  int pid = raw_call(SYS_fork, 0, 0, 0);
  heap_let_go();
  return pid;
}
