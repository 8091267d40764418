// mkdir path...: makes directories.
#include "kernel/types.h"
#include "user/user.h"

int main(int argc, char **argv) {
  int bad = argc < 2;
  if (bad) fprintf(2, "usage: mkdir path...\n");
  for (int i = 1; i < argc; i++) {
    if (mkdir(argv[i]) == 0) continue;
    fprintf(2, "mkdir: cannot make %s\n", argv[i]);
    bad = 1;
  }
  return bad;
}
