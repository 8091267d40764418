// echo [-n] [word...]: writes its words and a newline (with -n, none) in one piece.
#include "kernel/types.h"
#include "user/user.h"

int main(int argc, char **argv) {
  static char line[8192];  // arguments fit one stack page
  int used = 0;
  int first = argc > 1 && strcmp(argv[1], "-n") == 0 ? 2 : 1;
  for (int i = first; i < argc; i++) {
    int length = strlen(argv[i]);
    if (used + length + 2 > (int)sizeof(line)) break;
    if (i > first) line[used++] = ' ';
    memcpy(line + used, argv[i], length);
    used += length;
  }
  if (first == 1) line[used++] = '\n';
  return write(1, line, used) != used;
}
