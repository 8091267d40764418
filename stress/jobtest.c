// jobtest NAME: processes for those who type ^C and ^P at the console (promptcheck.py).
//
//   forkers   some processes that always have a child in the making or asleep
//   tree      asleep, three generations of four each
//   bomb      every process forks for as long as it can
//   crowd N   N children, asleep
//
// Each goes on for ever, or for as long as a test lasts, and says so once it has begun.
#include "kernel/types.h"
#include "user/user.h"

enum { LONG = 100000, FORKERS = 8 };

static void __attribute__((noreturn)) rest(void) {
  for (;;) sleep(LONG);
}

// A child that is born after its parent was asked to end would sleep on.
static void forker(void) {
  for (;;) {
    int pid = fork();
    if (pid == 0) rest();
    if (pid < 0) continue;
    kill(pid);
    wait(0);
  }
}

static void forkers(void) {
  for (int i = 0; i < FORKERS; i++)
    if (fork() == 0) forker();
}

static void tree(int depth) {
  for (int i = 0; depth > 0 && i < 4; i++)
    if (fork() == 0) {
      tree(depth - 1);
      rest();
    }
}

static void bomb(void) {
  for (;;)
    if (fork() < 0) sleep(1);
}

static void crowd(int n) {
  while (n-- > 0)
    if (fork() == 0) rest();
}

int main(int argc, char **argv) {
  const char *name = argc > 1 ? argv[1] : "";
  if (strcmp(name, "forkers") == 0) forkers();
  else if (strcmp(name, "tree") == 0) tree(3);
  else if (strcmp(name, "crowd") == 0) crowd(argc > 2 ? atoi(argv[2]) : 1);
  else if (strcmp(name, "bomb") != 0) return 2;
  printf("jobtest %s has begun\n", name);
  if (strcmp(name, "bomb") == 0) bomb();
  rest();
}
