// crashload SEED CALLS BIG: file-system calls for the crash test (stress/crash.py).
//
// Eight processes create, append to, overwrite, truncate, link and unlink files in a
// directory that they share and in one of their own, keep files open that have no name
// any more, and make directories grow.  BIG of 100 actions write far more than the log
// holds.  After a call has returned, its process tells of it on the console:
//
//   #PROCESS NUMBER CALL ARGUMENTS = RESULT
//
// A name begins with its process's digit and is used by that process alone, so each
// process's lines are the history of its names.  Byte j of a write is pattern(seed + j),
// with the write's own seed, so that blocks that are written differ.
#include "kernel/types.h"
#include "kernel/fcntl.h"
#include "kernel/stat.h"
#include "user/user.h"

enum {
  WORKERS = 8,
  NAMES = 5,        // files of a process in each of its directories
  SMALL = 1000,     // bytes of an overwrite: at most two blocks, so one operation
  APPENDED = 5000,  // bytes of an append, at most
  LONG = 9000,      // files of this size are cut before more is appended
  LARGE = 100000,   // bytes of a write that fills the log, at most
  SEEDS = 9973,
};

static struct {
  int id, calls;
  uint random;
} self;

static char data[LARGE];

static uint any(uint below) {
  self.random = self.random * 1664525 + 1013904223;
  return (self.random >> 8) % below;
}

static char pattern(uint i) {
  return i * 7 + (i >> 8) * 13 + (i >> 11);
}

// --- calls, each with its line ----------------------------------------------

static int told_open(const char *path, int flags) {
  int fd = open(path, flags);
  printf("#%d %d open %s %d = %d\n", self.id, self.calls++, path, flags, fd);
  return fd;
}

static void told_write(int fd, int n) {
  int seed = any(SEEDS);
  for (int j = 0; j < n; j++) data[j] = pattern(seed + j);
  int put = write(fd, data, n);
  printf("#%d %d write %d %d %d = %d\n", self.id, self.calls++, fd, n, seed, put);
}

static int told_read(int fd, int n) {
  int got = read(fd, data, n);
  printf("#%d %d read %d %d = %d\n", self.id, self.calls++, fd, n, got);
  return got;
}

static void told_close(int fd) {
  int result = close(fd);
  printf("#%d %d close %d = %d\n", self.id, self.calls++, fd, result);
}

static void told_link(const char *old, const char *new) {
  int result = link(old, new);
  printf("#%d %d link %s %s = %d\n", self.id, self.calls++, old, new, result);
}

static void told_unlink(const char *path) {
  int result = unlink(path);
  printf("#%d %d unlink %s = %d\n", self.id, self.calls++, path, result);
}

static void told_mkdir(const char *path) {
  int result = mkdir(path);
  printf("#%d %d mkdir %s = %d\n", self.id, self.calls++, path, result);
}

// --- what a process does ----------------------------------------------------

// One of the process's names, in the shared directory or in its own.
static const char *any_name(char *name) {
  char digit = '0' + self.id, letter = 'a' + any(NAMES);
  if (any(2)) {
    strcpy(name, "cr/0a");
    name[4] = letter;
  } else {
    strcpy(name, "cr/0/0a");
    name[5] = digit;
    name[6] = letter;
  }
  name[3] = digit;
  return name;
}

static void append(const char *path) {
  int fd = told_open(path, O_CREATE | O_RDWR);
  if (fd < 0) return;
  struct stat st;
  if (fstat(fd, &st) == 0 && st.size > LONG) {
    told_close(fd);
    fd = told_open(path, O_RDWR | O_TRUNC);
    if (fd < 0) return;
  }
  while (told_read(fd, LARGE) > 0)
    ;
  told_write(fd, 1 + any(APPENDED));
  told_close(fd);
}

static void overwrite(const char *path, int flags) {
  int fd = told_open(path, flags);
  if (fd < 0) return;
  told_write(fd, 1 + any(SMALL));
  told_close(fd);
}

static void write_large(const char *path) {
  int fd = told_open(path, O_CREATE | O_WRONLY | O_TRUNC);
  if (fd < 0) return;
  told_write(fd, LARGE / 2 + any(LARGE / 2));
  told_close(fd);
  fd = told_open(path, O_WRONLY | O_TRUNC);
  if (fd >= 0) told_close(fd);
}

// The file's last name goes while it is open; it dies with its descriptor.
static void unlink_in_use(const char *path) {
  int fd = told_open(path, O_CREATE | O_WRONLY | O_TRUNC);
  if (fd < 0) return;
  told_write(fd, 1 + any(APPENDED));
  told_unlink(path);
  told_write(fd, 1 + any(APPENDED));
  told_close(fd);
}

static void directories(void) {
  char folder[] = "cr/0d", file[] = "cr/0d/0f";
  folder[3] = file[3] = file[6] = '0' + self.id;
  told_mkdir(folder);
  overwrite(file, O_CREATE | O_WRONLY);
  told_unlink(file);
  told_unlink(folder);
}

// Empty files, so many that with the others' the directory grows by a block.
static void many_names(void) {
  char name[] = "cr/0ga";
  name[3] = '0' + self.id;
  for (int i = 0; i < 10; i++, name[5]++) {
    int fd = told_open(name, O_CREATE | O_WRONLY);
    if (fd >= 0) told_close(fd);
  }
  while (name[5]-- > 'a') told_unlink(name);
}

static void act(int big) {
  char name[16], other[16];
  any_name(name);
  if ((int)any(100) < big) {
    write_large(name);
    return;
  }
  uint what = any(16);
  if (what == 0)
    directories();
  else if (what == 1)
    unlink_in_use(name);
  else if (what == 2)
    overwrite(name, O_CREATE | O_WRONLY | O_TRUNC);
  else if (what < 5)
    overwrite(name, O_WRONLY);
  else if (what < 8)
    told_link(name, any_name(other));
  else if (what < 11)
    told_unlink(name);
  else
    append(name);
}

static void work(int id, int seed, int calls, int big) {
  char folder[] = "cr/0";
  self.id = id;
  self.random = seed * WORKERS + id;
  folder[3] += id;
  told_mkdir(folder);
  many_names();
  while (self.calls < calls) act(big);
  exit(0);
}

int main(int argc, char **argv) {
  if (argc != 4) {
    fprintf(2, "usage: crashload SEED CALLS BIG\n");
    exit(1);
  }
  if (mkdir("cr") < 0) exit(1);
  for (int id = 0; id < WORKERS; id++) {
    int pid = fork();
    if (pid < 0) exit(1);
    if (pid == 0) work(id, atoi(argv[1]), atoi(argv[2]), atoi(argv[3]));
  }
  int worst = 0;
  for (int id = 0; id < WORKERS; id++) {
    int status;
    if (wait(&status) < 0 || status != 0) worst = 1;
  }
  exit(worst);
}
