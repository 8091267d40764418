// No memory: in the middle of a fork, at a copy, and, where the build allows it, at
// each single allocation of what a process does.  Everybody goes on but the one who
// cannot; nothing is lost.
#include "kernel/types.h"
#include "kernel/fcntl.h"
#include "kernel/inject.h"
#include "kernel/param.h"
#include "user/cowtest/cowtest.h"

#define MIB  (1024l * 1024)
#define GIB  (1024 * MIB)

// Takes memory until at most about this many frames are free.
static void take_all_but(uint64 frames) {
  for (uint64 now; (now = memstat_now().free) > frames + 64;) {
    uint64 bytes = (now - frames) * PGSIZE * 500 / 512;  // the rest: page tables
    if (sbrkeager(bytes < GIB ? bytes : GIB) == SBRK_ERROR) break;
  }
}

static void take_all(void) {
  for (long bytes = 512 * MIB; bytes >= PGSIZE; bytes /= 2)
    while (sbrkeager(bytes) != SBRK_ERROR) continue;
}

// ---- fork ------------------------------------------------------------------

enum {
  SPREAD = 200,  // pages, each with a page table of its own: what a fork costs
  ROOM = 4000,   // frames left for forks
};
#define STRIDE  (2 * MIB)

// Waits in a child with most of the memory until the gate opens.
static void start_eater(struct gate *leave) {
  struct gate ready;
  gate_make(&ready);
  if (must_fork() == 0) {
    take_all_but(ROOM);
    gate_open(&ready, 1);
    gate_wait(leave);
    exit(0);
  }
  gate_wait(&ready);
  gate_close(&ready);
}

static void look_and_exit(const char *base, struct gate *up, struct gate *go) {
  gate_open(up, 1);
  gate_wait(go);
  for (int i = 0; i < SPREAD; i++)
    if (base[i * STRIDE] != (char)i) exit(1);
  exit(0);
}

// A fork that fails leaves no frame behind, its caller may write every page, and
// the children made before are unharmed.
void fork_until_full(void) {
  char *base = sbrk_by(SPREAD * STRIDE);
  for (int i = 0; i < SPREAD; i++) base[i * STRIDE] = i;
  struct gate leave, up, go;
  gate_make(&leave);
  gate_make(&up);
  gate_make(&go);
  start_eater(&leave);

  int children = 0;
  char token;
  for (;; children++) {
    uint64 before = free_frames();
    int pid = fork();
    if (pid == 0) look_and_exit(base, &up, &go);
    if (pid < 0) {
      CHECK_FREE(before);
      break;
    }
    // Not gate_wait: later children still need the other end.
    CHECK_EQ(read(up.fd[0], &token, 1), 1);
  }
  CHECK(children > 0 && children <= ROOM / SPREAD, "%d forks of %d tables in %d frames", children,
        SPREAD, ROOM);
  gate_open(&go, children);
  for (int i = 0; i < children; i++) must_wait(0);

  gate_open(&leave, 1);
  must_wait(0);
  struct memstat before = memstat_now();
  for (int i = 0; i < SPREAD; i++) base[i * STRIDE]++;
  CHECK_EQ(GROWTH(before, cow_copies), 0);
}

// ---- copies ----------------------------------------------------------------

static void write_without_memory(void *page) {
  take_all();
  *(volatile char *)page = 'c';
}

static void read_without_memory(void *page) {
  int fds[2];
  CHECK(pipe(fds) == 0 && write(fds[1], "abc", 3) == 3, "no pipe");
  take_all();
  CHECK_EQ(read(fds[0], page, 3), -1);
  CHECK_EQ(*(char *)page, 'p');
  CHECK(sbrk(-8 * PGSIZE) != SBRK_ERROR, "shrink failed");
  CHECK_EQ(read(fds[0], page, 3), 3);
  CHECK_EQ(*(char *)page, 'a');
}

// At a copy for which there is no frame a process dies, a call fails.
void no_memory_to_copy(void) {
  char *page = sbrk(PGSIZE);
  page[0] = 'p';
  uint64 before = free_frames();
  EXPECT_KILLED(write_without_memory, page);
  CHECK_FREE(before);
  EXPECT_OK(read_without_memory, page);
  CHECK_FREE(before);
  CHECK_EQ(page[0], 'p');
}

// ---- each allocation -------------------------------------------------------

// What a process may do, with its n-th allocation from here failing.  Each returns
// 0, having undone it, or -1, and how many allocations there were.
static int try_fork(int n, int *passed) {
  inject(INJECT_KALLOC, n);
  int pid = fork();
  if (pid == 0) exit(0);
  *passed = inject(INJECT_KALLOC, 0);
  if (pid > 0) must_wait(0);
  return pid < 0 ? -1 : 0;
}

static int try_pipe(int n, int *passed) {
  int fds[2];
  inject(INJECT_KALLOC, n);
  int result = pipe(fds);
  *passed = inject(INJECT_KALLOC, 0);
  if (result == 0) {
    close(fds[0]);
    close(fds[1]);
  }
  return result;
}

static int try_open(int n, int *passed) {
  inject(INJECT_KALLOC, n);
  int fd = open("init", O_RDONLY);
  *passed = inject(INJECT_KALLOC, 0);
  if (fd >= 0) close(fd);
  return fd < 0 ? -1 : 0;
}

static int try_eager(int n, int *passed) {
  const int bytes = 20 * PGSIZE;
  sbrk(GIB);  // into tables that are not there
  char *size = sbrk(0);
  inject(INJECT_KALLOC, n);
  char *base = sbrkeager(bytes);
  *passed = inject(INJECT_KALLOC, 0);
  CHECK_EQ(sbrk(0), base == SBRK_ERROR ? size : size + bytes);
  if (base != SBRK_ERROR) sbrk(-bytes);
  sbrk(-GIB);
  return base == SBRK_ERROR ? -1 : 0;
}

static int try_read(int n, int *passed) {
  int fds[2];
  CHECK(pipe(fds) == 0 && write(fds[1], "ab", 2) == 2, "no pipe");
  char *lazy = sbrk(GIB) + GIB - 1;
  sbrk(PGSIZE);
  inject(INJECT_KALLOC, n);
  int got = read(fds[0], lazy, 2);
  *passed = inject(INJECT_KALLOC, 0);
  // What had no page is still in the pipe.
  char rest[2];
  int moved = got < 0 ? 0 : got;
  if (moved < 2) CHECK(read(fds[0], rest, 2) == 2 - moved && rest[0] == "ab"[moved], "bytes are lost");
  close(fds[0]);
  close(fds[1]);
  sbrk(-GIB - PGSIZE);
  return moved < 2 ? -1 : 0;
}

static const struct action {
  const char *name;
  int (*try)(int n, int *passed);
} actions[] = {
    {"fork", try_fork},       {"pipe", try_pipe}, {"open", try_open},
    {"sbrkeager", try_eager}, {"read", try_read},
};

enum { MOST = 500 };  // allocations that one action may take

static void fail_each(const struct action *action) {
  for (int n = 1;; n++) {
    CHECK(n < MOST, "%s takes too many allocations", action->name);
    uint64 before = free_frames();
    int passed = 0;
    int result = action->try(n, &passed);
    CHECK(result == (passed < n ? 0 : -1), "%s with allocation %d of %d failing gave %d",
          action->name, n, passed, result);
    CHECK_FREE(before);
    if (passed < n) return;
  }
}

enum { RAN = 0, REFUSED = 7, KILLED = -1 };

// exec either fails, and its caller is whole, or the new program ends at a touch.
static void fail_exec(void) {
  char *page = sbrk(PGSIZE);
  page[0] = 'e';
  int refused = 0;
  for (int n = 1;; n++) {
    CHECK(n < MOST, "exec takes too many allocations");
    uint64 before = free_frames();
    if (must_fork() == 0) {
      inject(INJECT_KALLOC, n);
      exec("echo", (char *[]){"echo", "-n", 0});
      inject(INJECT_KALLOC, 0);
      exit(page[0] == 'e' ? REFUSED : 1);
    }
    int status = 1;
    CHECK(wait(&status) > 0, "wait failed");
    CHECK(status == RAN || status == REFUSED || status == KILLED, "allocation %d: status %d", n,
          status);
    CHECK_FREE(before);
    refused += status == REFUSED;
    if (status == RAN) break;
  }
  CHECK(refused > 0, "no allocation made exec fail");
}

void each_allocation_fails(void) {
  if (inject(INJECT_KALLOC, 0) < 0) {
    printf("(only in a DEBUG build) ");
    return;
  }
  for (int i = 0; i < COUNT_OF(actions); i++) fail_each(&actions[i]);
  fail_exec();
}
