// forktest: forks until that fails, which it must do without harm, and then finds
// every child again.
//
// Small on purpose, so that the table of processes runs out before memory does.
#include "kernel/types.h"
#include "kernel/param.h"
#include "user/user.h"

static int fail(const char *what) {
  printf("fork test FAILED: %s\n", what);
  return 1;
}

int main(void) {
  printf("fork test\n");
  int children = 0;
  for (;; children++) {
    int pid = fork();
    if (pid == 0) return 0;
    if (pid < 0) break;
    if (children == NPROC) return fail("more children than there can be processes");
  }
  if (children == 0) return fail("not even one child");

  for (int i = 0; i < children; i++) {
    int status = -1;
    if (wait(&status) < 0) return fail("a child is missing");
    if (status != 0) return fail("a child ended badly");
  }
  if (wait(0) >= 0) return fail("there is a child too many");
  printf("fork test OK\n");
  return 0;
}
