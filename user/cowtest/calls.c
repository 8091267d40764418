// System calls that store into memory that a child shares with its parent: the
// child finds the result, and the parent none of it.
#include "kernel/types.h"
#include "kernel/fcntl.h"
#include "kernel/param.h"
#include "kernel/procinfo.h"
#include "kernel/stat.h"
#include "user/cowtest/cowtest.h"

enum { AREA = 3 * PGSIZE };

// ---- the calls: each stores something at `at` and CHECKs it ----------------

static void store_by_pipe(char *at) {
  int fds[2];
  CHECK(pipe(fds) == 0 && write(fds[1], "pipe", 4) == 4, "no pipe");
  CHECK_EQ(read(fds[0], at, 4), 4);
  CHECK(memcmp(at, "pipe", 4) == 0, "read gave `%.4s`", at);
}

static void store_by_file(char *at) {
  int fd = open("init", O_RDONLY);
  CHECK(fd >= 0, "cannot open init");
  CHECK_EQ(read(fd, at, 16), 16);
  CHECK(memcmp(at, "\x7f" "ELF", 4) == 0, "read gave %d %d", at[0], at[1]);
}

static void store_by_wait(char *at) {
  if (must_fork() == 0) exit(0x1234567);
  CHECK(wait((int *)at) > 0, "wait failed");
  CHECK_EQ(*(int *)at, 0x1234567);
}

static void store_by_fstat(char *at) {
  struct stat *st = (struct stat *)at;
  CHECK_EQ(stat("/", st), 0);
  CHECK_EQ(st->type, T_DIR);
}

static void store_by_pipe_call(char *at) {
  int *fds = (int *)at;
  CHECK_EQ(pipe(fds), 0);
  CHECK_EQ(write(fds[1], "x", 1), 1);
}

static void store_by_memstat(char *at) {
  struct memstat *m = (struct memstat *)at;
  CHECK_EQ(memstat(m), 0);
  CHECK(m->free < m->total, "free %ld of %ld", m->free, m->total);
}

static void store_by_proclist(char *at) {
  struct procinfo *p = (struct procinfo *)at;
  CHECK_EQ(proclist(p, 1), 1);
  CHECK(p->pid > 0 && p->name[0], "pid %d", p->pid);
}

static void (*const stores[])(char *at) = {
    store_by_pipe,      store_by_file,    store_by_wait,    store_by_fstat,
    store_by_pipe_call, store_by_memstat, store_by_proclist,
};

// ---- tests -----------------------------------------------------------------

// Lets a child store at `at`, then looks at the whole area, which is all `fill`.
static void store_in_child(void (*store)(char *), char *area, char *at, char fill) {
  if (must_fork() == 0) {
    // Looks first: what a call stores must show through a translation in use, too.
    // The stack is written before that, since a fault on it may flush the look away.
    volatile char first_write = 0;
    (void)first_write;
    for (int i = 0; i < AREA; i++) CHECK_EQ(area[i], fill);
    store(at);
    exit(0);
  }
  must_wait(0);
  for (int i = 0; i < AREA; i++)
    CHECK(area[i] == fill, "byte %d of the parent is %d now", i, area[i]);
}

// In the middle of a page, and over the border between two.
void call_results(void) {
  char *area = sbrk(AREA);
  memset(area, 'p', AREA);
  for (int i = 0; i < COUNT_OF(stores); i++) {
    store_in_child(stores[i], area, area + 64, 'p');
    store_in_child(stores[i], area, area + PGSIZE - 8, 'p');
    store_in_child(stores[i], area, area + AREA - sizeof(struct memstat), 'p');
  }
}

// The kernel replaces the shared page and stores into the new one through a mapping
// of its own: what this process read before, it must not read on through the TLB.
// A context switch or another fault flushes as well, and hides the mistake; but
// the sharer sleeps, and so nothing of the kind comes in for every page.  (Pitfall 6.)
void call_shows_at_once(void) {
  enum { SHARED = 32, ROUNDS = 10 };
  char *area = sbrk(SHARED * PGSIZE);
  uint64 total = memstat_now().total;
  for (int round = 0; round < ROUNDS; round++) {
    struct gate done;
    gate_make(&done);
    memset(area, 'p', SHARED * PGSIZE);
    if (must_fork() == 0) {
      gate_wait(&done);
      exit(0);
    }
    for (int i = 0; i < SHARED; i++) {
      volatile struct memstat *m = (struct memstat *)(area + i * PGSIZE);
      CHECK(m->total != total, "page %d is not shared", i);
      CHECK_EQ(memstat((struct memstat *)m), 0);
      CHECK_EQ(m->total, total);
    }
    gate_open(&done, 1);
    must_wait(0);
    gate_close(&done);
  }
}

static void pass_through_pipe(char *to, const char *from, int n) {
  int fds[2];
  CHECK(pipe(fds) == 0, "pipe failed");
  for (int done = 0; done < n; done += 64) {
    CHECK_EQ(write(fds[1], from + done, 64), 64);
    CHECK_EQ(read(fds[0], to + done, 64), 64);
  }
  close(fds[0]);
  close(fds[1]);
}

// One buffer over pages that are shared, untouched and shared again; then one that
// runs over the break.
void call_over_borders(void) {
  static char text[AREA];
  for (int i = 0; i < AREA; i++) text[i] = 'a' + i % 26;
  char *area = sbrk(AREA);
  memset(area, 'p', PGSIZE);
  memset(area + 2 * PGSIZE, 'q', PGSIZE);
  if (must_fork() == 0) {
    pass_through_pipe(area, text, AREA);
    CHECK(memcmp(area, text, AREA) == 0, "the child read something else");
    int fds[2];
    CHECK(pipe(fds) == 0 && write(fds[1], text, 64) == 64, "no pipe");
    int n = read(fds[0], area + AREA - 8, 64);
    CHECK(n == -1 || n == 8, "a read over the break gave %d", n);
    exit(0);
  }
  must_wait(0);
  for (int i = 0; i < AREA; i++)
    CHECK_EQ(area[i], i < PGSIZE ? 'p' : i < 2 * PGSIZE ? 0 : 'q');
}
