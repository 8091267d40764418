// wc [file...]: counts lines, words and bytes.
#include "kernel/types.h"
#include "kernel/fcntl.h"
#include "user/user.h"

static char buf[4096];

static int is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

// Counts what fd gives; `name` may be empty.  Returns 0, or 1 after a message.
static int count(int fd, const char *name) {
  uint64 lines = 0, words = 0, bytes = 0;
  int between = 1;  // the byte before was no part of a word
  int n;
  while ((n = read(fd, buf, sizeof(buf))) > 0) {
    bytes += n;
    for (const char *at = buf; at < buf + n; at++) {
      int space = is_space(*at);
      lines += *at == '\n';
      words += between && !space;
      between = space;
    }
  }
  if (n < 0) {
    fprintf(2, "wc: cannot read %s\n", name);
    return 1;
  }
  printf("%lu %lu %lu %s\n", lines, words, bytes, name);
  return 0;
}

int main(int argc, char **argv) {
  if (argc < 2) return count(0, "");
  int bad = 0;
  for (int i = 1; i < argc; i++) {
    int fd = open(argv[i], O_RDONLY);
    if (fd >= 0) {
      bad |= count(fd, argv[i]);
      close(fd);
    } else {
      fprintf(2, "wc: cannot open %s\n", argv[i]);
      bad = 1;
    }
  }
  return bad;
}
