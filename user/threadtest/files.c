// Open files and the current directory: all threads of a process have the same.
#include "kernel/types.h"
#include "kernel/fcntl.h"
#include "user/threadtest/threadtest.h"

static int ends[2], result, started, stop;
static char byte;

// ---- sharing ---------------------------------------------------------------

static void open_for_others(void *arg, void *arg2) {
  (void)arg, (void)arg2;
  result = open("/init", O_RDONLY);
}

static void close_for_others(void *fd, void *unused) {
  (void)unused;
  result = close((long)fd);
}

// Opened in one thread, read in another, closed in a third.
void test_shared_descriptors(void) {
  static char magic[4];
  spawn(open_for_others, 0);
  join_all(1);
  int fd = result;
  CHECK(fd > 2, "open gave %d", fd);
  CHECK_EQ(read(fd, magic, 4), 4);
  CHECK(memcmp(magic, "\x7f" "ELF", 4) == 0, "read gave %d %d", magic[0], magic[1]);
  spawn(close_for_others, fd);
  join_all(1);
  CHECK_EQ(result, 0);
  CHECK_EQ(read(fd, magic, 4), -1);
  CHECK_EQ(close(fd), -1);
  CHECK_EQ(dup(0), fd);
}

static void change_directory(void *path, void *unused) {
  (void)unused;
  result = chdir(path);
}

void test_shared_directory(void) {
  CHECK_EQ(mkdir("/thread.dir"), 0);
  spawn(change_directory, (long)"/thread.dir");
  join_all(1);
  CHECK_EQ(result, 0);
  CHECK_EQ(open("init", O_RDONLY), -1);
  spawn(change_directory, (long)"..");
  join_all(1);
  CHECK(open("init", O_RDONLY) >= 0, "the directory is another one for the leader");
  CHECK_EQ(unlink("/thread.dir"), 0);
}

// ---- closing what another thread uses --------------------------------------

static void read_one(void *arg, void *arg2) {
  (void)arg, (void)arg2;
  set(&started, 1);
  result = read(ends[0], &byte, 1);
}

// The reader's own use of the pipe keeps it open: what is written goes to it, and
// then nobody is left to read.
void test_close_while_reading(void) {
  CHECK_EQ(pipe(ends), 0);
  spawn(read_one, 0);
  doze_until(&started, 1);
  sleep(2);
  CHECK_EQ(close(ends[0]), 0);
  CHECK_EQ(write(ends[1], "x", 1), 1);
  join_all(1);
  CHECK_EQ(result, 1);
  CHECK_EQ(byte, 'x');
  CHECK_EQ(write(ends[1], "y", 1), -1);
  CHECK_EQ(close(ends[1]), 0);

  // The other end: the reader is told that there is nothing more to come.
  CHECK_EQ(pipe(ends), 0);
  set(&started, 0);
  spawn(read_one, 0);
  doze_until(&started, 1);
  sleep(2);
  CHECK_EQ(close(ends[1]), 0);
  join_all(1);
  CHECK_EQ(result, 0);
}

static void fill_pipe(void *arg, void *arg2) {
  (void)arg, (void)arg2;
  static char bytes[2 * PGSIZE];
  set(&started, 1);
  result = write(ends[1], bytes, sizeof(bytes));
}

// A writer that waits for room when the last reader leaves has written a part.
void test_close_while_writing(void) {
  CHECK_EQ(pipe(ends), 0);
  spawn(fill_pipe, 0);
  doze_until(&started, 1);
  sleep(2);
  CHECK_EQ(close(ends[0]), 0);
  join_all(1);
  CHECK(result == -1 || (result > 0 && result < 2 * PGSIZE), "write gave %d", result);
  CHECK_EQ(write(ends[1], "y", 1), -1);
}

// ---- churn -----------------------------------------------------------------

static void open_and_close(void *arg, void *arg2) {
  (void)arg, (void)arg2;
  while (!get(&stop)) {
    int fd = open("/init", O_RDONLY), copy = dup(fd), fds[2];
    close(fd);  // by now perhaps another one's: that is the test
    close(copy);
    if (pipe(fds) == 0) {
      close(fds[0]);
      close(fds[1]);
    }
  }
}

// Whatever the number means at the moment.
static void use_any(void *arg, void *arg2) {
  (void)arg2;
  char bytes[8];
  int lowest = (long)arg;
  while (!get(&stop))
    for (int fd = lowest; fd < NOFILE; fd++) {
      if (write(fd, "z", 1) == 1) read(fd, bytes, 1);
      close(fd);
    }
}

// Descriptors that are opened, used and closed under each other's hands: no file is
// lost, and the numbers are all free in the end.
void test_descriptors_churn(void) {
  int lowest = dup(0);
  CHECK_EQ(close(lowest), 0);
  for (int i = 0; i < 3; i++) spawn(open_and_close, 0);
  spawn(use_any, lowest);
  sleep(15);
  // A thread may sleep on an empty pipe whose other end it could write to itself.
  set(&stop, 1);
  for (int fd = lowest; fd < NOFILE; fd++) close(fd);
  join_all(4);
  for (int fd = lowest; fd < NOFILE; fd++) close(fd);
  for (int fd = lowest; fd < NOFILE; fd++) CHECK_EQ(dup(0), fd);
  CHECK_EQ(dup(0), -1);
}
