// rm path...: takes away names of files, and empty directories.
#include "kernel/types.h"
#include "user/user.h"

int main(int argc, char **argv) {
  int bad = argc < 2;
  if (bad) fprintf(2, "usage: rm path...\n");
  for (int i = 1; i < argc; i++) {
    if (unlink(argv[i]) == 0) continue;
    fprintf(2, "rm: cannot remove %s\n", argv[i]);
    bad = 1;
  }
  return bad;
}
