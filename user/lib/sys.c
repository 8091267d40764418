// Thin functions over system calls.
#include "user/user.h"

#include "kernel/fcntl.h"
#include "kernel/stat.h"

int stat(const char *path, struct stat *st) {
  int fd = open(path, O_RDONLY);
  if (fd < 0) return -1;
  int result = fstat(fd, st);
  close(fd);
  return result;
}

// One byte at a time: what follows the line belongs to whoever reads next.
char *gets(char *buf, int max) {
  if (max < 1) return buf;
  int n = 0;
  while (n < max - 1 && read(0, buf + n, 1) == 1) {
    char c = buf[n++];
    if (c == '\n' || c == '\r') break;
  }
  buf[n] = 0;
  return buf;
}
