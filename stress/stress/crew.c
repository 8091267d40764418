// Threads of an operation: begun together, joined together (stress/crew.h).
#include "stress/stress/crew.h"

#include "kernel/futex.h"
#include "stress/stress/stress.h"

#define LOOKS  20000
#define ALL    0x7fffffff

enum { WAIT, BEGIN, CANCEL };

static struct member {
  void (*role)(uint64);
  uint64 which;
  int done;
} members[CREW_MOST];
static char stacks[CREW_MOST][PGSIZE] __attribute__((aligned(PGSIZE)));
static int size, gate;

static void member_runs(void *at, void *unused) {
  struct member *m = at;
  (void)unused;
  if (word_await(&gate, WAIT) == BEGIN) m->role(m->which);
  m->done = 1;
  exit(0);
}

int crew_add(void (*role)(uint64 which), uint64 which) {
  if (size == CREW_MOST) return -1;
  gate = WAIT;
  members[size] = (struct member){role, which, 0};
  if (clone(member_runs, &members[size], 0, stacks[size]) < 0) return -1;
  return size++;
}

void crew_begin(void) { word_set(&gate, BEGIN); }
void crew_cancel(void) { word_set(&gate, CANCEL); }

void crew_join(void) {
  for (; size > 0; size--) {
    void *stack = 0;
    int pid = join(&stack);
    CHECK(pid > 0, "join gave %d with %d threads left", pid, size);
    uint64 i = ((char *)stack - stacks[0]) / PGSIZE;
    CHECK(i < CREW_MOST && stack == stacks[i], "join gave the stack %p", stack);
    if (!members[i].done) exit(1);  // it has said why
  }
}

int word_await(int *word, int old) {
  for (int i = 0; i < LOOKS; i++)
    if (is_set(word) != old) return is_set(word);
  while (is_set(word) == old) futex(word, FUTEX_WAIT, old);
  return is_set(word);
}

void word_set(int *word, int value) {
  atomic_store_release(word, value);
  futex(word, FUTEX_WAKE, ALL);
}

void word_add(int *word, int more) {
  add_to(word, more);
  futex(word, FUTEX_WAKE, ALL);
}
