// ls [path...]: a line for each file, or for each name in a directory: the name,
// the type (1 directory, 2 file, 3 device), the inode and the size in bytes.
#include "kernel/types.h"
#include "kernel/fcntl.h"
#include "kernel/fs.h"
#include "kernel/param.h"
#include "kernel/stat.h"
#include "user/user.h"

static const char *last_part(const char *path) {
  const char *part = path;
  for (const char *at = path; *at; at++)
    if (*at == '/' && at[1]) part = at + 1;
  return part;
}

static void show(const char *name, const struct stat *st) {
  printf("%-14s %d %d %ld\n", name, st->type, st->ino, st->size);
}

static int list_directory(const char *path, int fd) {
  static char full[MAXPATH];
  int length = strlen(path);
  if (length + 1 + DIRSIZ + 1 > MAXPATH) {
    fprintf(2, "ls: path too long: %s\n", path);
    return 1;
  }
  strcpy(full, path);
  full[length++] = '/';

  int bad = 0;
  struct dirent entry;
  while (read(fd, &entry, sizeof(entry)) == sizeof(entry)) {
    if (entry.inum == 0) continue;
    memcpy(full + length, entry.name, DIRSIZ);
    full[length + DIRSIZ] = 0;
    struct stat st;
    if (stat(full, &st) == 0) {
      show(full + length, &st);
    } else {
      fprintf(2, "ls: cannot look at %s\n", full);
      bad = 1;
    }
  }
  return bad;
}

static int list(const char *path) {
  int bad = 1;
  struct stat st;
  int fd = open(path, O_RDONLY);
  if (fd < 0 || fstat(fd, &st) < 0) {
    fprintf(2, "ls: cannot open %s\n", path);
  } else if (st.type == T_DIR) {
    bad = list_directory(path, fd);
  } else {
    show(last_part(path), &st);
    bad = 0;
  }
  if (fd >= 0) close(fd);
  return bad;
}

int main(int argc, char **argv) {
  if (argc < 2) return list(".");
  int bad = 0;
  for (int i = 1; i < argc; i++) bad |= list(argv[i]);
  return bad;
}
