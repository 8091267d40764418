// kill pid...: ends processes.
#include "kernel/types.h"
#include "user/user.h"

int main(int argc, char **argv) {
  int bad = argc < 2;
  if (bad) fprintf(2, "usage: kill pid...\n");
  for (int i = 1; i < argc; i++) {
    if (kill(atoi(argv[i])) == 0) continue;
    fprintf(2, "kill: there is no process %s to end\n", argv[i]);
    bad = 1;
  }
  return bad;
}
