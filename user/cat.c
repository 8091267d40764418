// cat [file...]: writes files, or its input, to its output.
#include "kernel/types.h"
#include "kernel/fcntl.h"
#include "user/user.h"

static char buf[4096];

// Returns 0, or 1 after a message.
static int copy(int fd, const char *name) {
  int n;
  while ((n = read(fd, buf, sizeof(buf))) > 0) {
    if (write(1, buf, n) == n) continue;
    fprintf(2, "cat: cannot write what %s holds\n", name);
    return 1;
  }
  if (n < 0) fprintf(2, "cat: cannot read %s\n", name);
  return n < 0;
}

int main(int argc, char **argv) {
  if (argc < 2) return copy(0, "the input");
  int bad = 0;
  for (int i = 1; i < argc; i++) {
    int fd = open(argv[i], O_RDONLY);
    if (fd < 0) {
      fprintf(2, "cat: cannot open %s\n", argv[i]);
      bad = 1;
      continue;
    }
    bad |= copy(fd, argv[i]);
    close(fd);
  }
  return bad;
}
