// System calls that read and write memory which nobody has touched, over the
// borders of pages, and with no memory left.
#include "kernel/types.h"
#include "kernel/fcntl.h"
#include "kernel/param.h"
#include "kernel/stat.h"
#include "user/lazytests/lazytests.h"

enum { SPAN = 2 * PGSIZE };  // bytes moved, from the middle of a page on

// A lazy area of which no page is there, and an address in the middle of its first.
static char *lazy_middle(void) {
  char *base = sbrk(4 * PGSIZE);
  CHECK(base != SBRK_ERROR, "sbrk failed");
  return base + PGSIZE / 2;
}

static char pattern(int i) { return 'a' + i % 23; }

static void must_hold_pattern(const char *at, int n) {
  for (int i = 0; i < n; i++)
    CHECK(at[i] == pattern(i), "byte %d is %d instead of %d", i, at[i], pattern(i));
}

static void must_read(int fd, char *to, int n) {
  for (int got = 0; got < n;) {
    int now = read(fd, to + got, n - got);
    CHECK(now > 0, "read gave %d after %d bytes", now, got);
    got += now;
  }
}

// A pipe from a lazy buffer into another, which also passes zeros along.
void lazy_pipe(void) {
  int fds[2];
  CHECK(pipe(fds) == 0, "pipe failed");
  int pid = must_fork();
  if (pid == 0) {
    char *from = lazy_middle();
    CHECK_EQ(write(fds[1], from, SPAN), SPAN);
    for (int i = 0; i < SPAN; i++) from[i] = pattern(i);
    CHECK_EQ(write(fds[1], from, SPAN), SPAN);
    exit(0);
  }
  close(fds[1]);
  char *to = lazy_middle();
  must_read(fds[0], to, SPAN);
  for (int i = 0; i < SPAN; i++) CHECK(to[i] == 0, "byte %d of an untouched page is %d", i, to[i]);
  char *more = lazy_middle();
  must_read(fds[0], more, SPAN);
  must_hold_pattern(more, SPAN);
  must_wait(0);
}

void lazy_file(void) {
  int fd = open("lazy.tmp", O_CREATE | O_RDWR);
  CHECK(fd >= 0, "cannot make lazy.tmp");
  char *from = lazy_middle();
  CHECK_EQ(write(fd, from, SPAN), SPAN);
  for (int i = 0; i < SPAN; i++) from[i] = pattern(i);
  CHECK_EQ(write(fd, from, SPAN), SPAN);
  close(fd);

  fd = open("lazy.tmp", O_RDONLY);
  char *zeros = lazy_middle();
  must_read(fd, zeros, SPAN);
  for (int i = 0; i < SPAN; i++) CHECK(zeros[i] == 0, "byte %d of the file is %d", i, zeros[i]);
  char *to = lazy_middle();
  must_read(fd, to, SPAN);
  must_hold_pattern(to, SPAN);
  close(fd);
  unlink("lazy.tmp");
}

// Results that the kernel stores across the border of two untouched pages.
void lazy_results(void) {
  struct stat *st = (struct stat *)(sbrk(2 * PGSIZE) + PGSIZE - 8);
  CHECK_EQ(stat("/", st), 0);
  CHECK_EQ(st->type, T_DIR);
  CHECK_EQ(st->ino, 1);

  int *status = (int *)sbrk(PGSIZE);
  if (must_fork() == 0) exit(0x12345);
  CHECK(wait(status) > 0, "wait failed");
  CHECK_EQ(*status, 0x12345);

  int *fds = (int *)(sbrk(2 * PGSIZE) + PGSIZE - 4);
  CHECK_EQ(pipe(fds), 0);
  CHECK_EQ(write(fds[1], "x", 1), 1);
  close(fds[0]);
  close(fds[1]);

  struct memstat *m = (struct memstat *)(sbrk(2 * PGSIZE) + PGSIZE - 16);
  CHECK_EQ(memstat(m), 0);
  CHECK(m->total > m->free && m->free > 0, "total %ld, free %ld", m->total, m->free);
}

// The NUL behind a path may be the first byte of a page that is not there yet.
void path_across_pages(void) {
  char *border = sbrk(2 * PGSIZE) + PGSIZE;
  border[-1] = '/';
  int fd = open(border - 1, O_RDONLY);
  CHECK(fd >= 0, "open(\"/\") across a page border gave %d", fd);
  struct stat st;
  CHECK_EQ(fstat(fd, &st), 0);
  CHECK_EQ(st.ino, 1);
  close(fd);

  border = sbrk(2 * PGSIZE) + PGSIZE;
  strcpy(border - 3, "/init");
  fd = open(border - 3, O_RDONLY);
  CHECK(fd >= 0, "open(\"/init\") across a page border gave %d", fd);
  close(fd);
}

// A path that has no NUL before the end of memory, and one too long by a byte.
void path_without_end(void) {
  char *end = (char *)PGROUNDUP((uint64)sbrk(PGSIZE) + PGSIZE);
  end[-1] = '/';
  CHECK_EQ(open(end - 1, O_RDONLY), -1);

  char *path = end - 3 * (long)MAXPATH;
  memset(path, '/', MAXPATH);
  path[MAXPATH - 1] = 0;
  int fd = open(path, O_RDONLY);
  CHECK(fd >= 0, "a path of %d bytes gave %d", MAXPATH, fd);
  close(fd);
  path[MAXPATH - 1] = '/';
  path[MAXPATH] = 0;
  CHECK_EQ(open(path, O_RDONLY), -1);
}

// argv whose last entry, the null, and whose strings' ends lie in untouched pages.
void exec_lazy_arguments(void) {
  int fds[2];
  CHECK(pipe(fds) == 0, "pipe failed");
  if (must_fork() == 0) {
    char *border = sbrk(2 * PGSIZE) + PGSIZE;
    strcpy(border - 2, "lazy");
    char *last = sbrk(2 * PGSIZE) + PGSIZE;
    last[-1] = '!';
    char **null = (char **)(sbrk(2 * PGSIZE) + PGSIZE);
    null[-3] = "echo";
    null[-2] = border - 2;
    null[-1] = last - 1;
    close(1);
    dup(fds[1]);
    exec("echo", null - 3);
    exit(2);
  }
  close(fds[1]);
  char seen[16] = {0};
  for (int n = 0, now; n < 15 && (now = read(fds[0], seen + n, 15 - n)) > 0;) n += now;
  CHECK(strcmp(seen, "lazy !\n") == 0, "echo printed `%s`", seen);
  must_wait(0);
}

// The child is not lost when its status cannot be stored.
void wait_bad_pointer(void) {
  static char *const bad[] = {(char *)-1, (char *)KERNBASE, (char *)USERTOP, (char *)(1ul << 63)};
  int pid = must_fork();
  if (pid == 0) exit(42);
  for (int i = 0; i < COUNT_OF(bad); i++) CHECK_EQ(wait((int *)bad[i]), -1);
  CHECK_EQ(wait((int *)(uint64)wait_bad_pointer), -1);
  int status = 0;
  CHECK_EQ(wait(&status), pid);
  CHECK_EQ(status, 42);
}

void pipe_bad_pointer(void) {
  int lowest = dup(0);
  CHECK(lowest > 0, "dup failed");
  close(lowest);
  // The second half of the pair does not fit below the break.
  char *end = (char *)PGROUNDUP((uint64)sbrk(PGSIZE) + PGSIZE);
  for (int i = 0; i < 2 * NFILE; i++) {
    CHECK_EQ(pipe((int *)-8), -1);
    CHECK_EQ(pipe((int *)(end - 4)), -1);
  }
  int next = dup(0);
  CHECK_EQ(next, lowest);
  close(next);
  int fds[2];
  CHECK_EQ(pipe(fds), 0);
}

// Takes all memory there is, down to the last frame.
static void take_all(void) {
  for (long bytes = 512 * MIB; bytes >= PGSIZE; bytes /= 2)
    while (sbrkeager(bytes) != SBRK_ERROR) continue;
}

static void call_without_memory(void *unused) {
  (void)unused;
  int fds[2];
  CHECK(pipe(fds) == 0, "pipe failed");
  CHECK_EQ(write(fds[1], "abc", 3), 3);
  char *lazy = sbrk(2 * PGSIZE);
  take_all();
  CHECK_EQ(read(fds[0], lazy, 3), -1);
  CHECK_EQ(write(fds[1], lazy, 1), -1);
  CHECK_EQ(open(lazy, O_RDONLY), -1);
  CHECK_EQ(sbrkeager(PGSIZE), SBRK_ERROR);
  CHECK_EQ(fork(), -1);
  char *end = sbrk(-64 * PGSIZE);
  CHECK(end != SBRK_ERROR, "shrink failed");
  *lazy = 1;  // there is memory again
  CHECK_EQ(read(fds[0], lazy + PGSIZE, 3), 3);  // and the pipe has lost nothing
  CHECK(memcmp(lazy + PGSIZE, "abc", 3) == 0, "the pipe gave `%.3s`", lazy + PGSIZE);
}

static void touch_without_memory(void *unused) {
  (void)unused;
  volatile char *lazy = sbrk(PGSIZE);
  take_all();
  *lazy = 1;
}

// A call that finds no frame fails, and its caller goes on; a touch kills.
void no_memory_in_a_call(void) {
  uint64 before = free_frames();
  EXPECT_OK(call_without_memory, 0);
  CHECK_FREE(before);
  EXPECT_KILLED(touch_without_memory, 0);
  CHECK_FREE(before);
}
