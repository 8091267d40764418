// Every call and access with exactly 0, 1, 2, ... frames left in the machine: it
// works, or it fails cleanly, or (an access) it ends its process.  Wrong data, a
// changed caller, or a frame lost is a failure.
//
// Children are forked while there is memory.  Then one of them, the hog, takes
// all of it, and lets go of k frames each time before the next child tries its
// luck.  The test itself only reads and writes pipes meanwhile, with pages of
// its own, so it needs no frame.
#include "kernel/inject.h"
#include "user/usertests/ut.h"

#define REFUSED  7  // a rung's status when the call returned its error
#define RUNGS    60
#define SHARED   3  // pages that every child shares with the test

static char shared_pages[SHARED * PGSIZE] __attribute__((aligned(PGSIZE)));
static int outcomes[RUNGS];
static int go[2], command[2], answer[2];

static void hog(void) {
  uint8 leave;
  take_all_memory(0);
  while (read(command[0], &leave, 1) == 1) {
    while (sbrkeager(PGSIZE) != SBRK_ERROR) {
    }
    if (leave) shrink(leave * PGSIZE);
    EXPECT(write(answer[1], &leave, 1), ==, 1);
  }
  exit(0);
}

static void pass_token(int to) {
  char token = 0;
  EXPECT(write(to, &token, 1), ==, 1);
}

// Runs `body` in RUNGS children, the k-th with k frames free; its statuses go to
// outcomes.  A body returns 0 if it worked and REFUSED if it failed as it may.
static void climb(int (*body)(void)) {
  struct start line;
  uint8 token;
  int hog_pid;
  pipe_primed(go);
  pipe_primed(command);
  pipe_primed(answer);
  mark_pages(shared_pages, SHARED, 1);
  start_make(&line);
  if ((hog_pid = must_fork()) == 0) {
    start_wait(&line);
    hog();
  }
  for (int k = 0; k < RUNGS; k++)
    if (must_fork() == 0) {
      start_wait(&line);
      pass_token(answer[1]);
      EXPECT(read(go[0], &token, 1), ==, 1);
      exit(body());
    }
  own_pages(outcomes, sizeof(outcomes));
  start_now(&line);
  for (int k = 0; k < RUNGS; k++) EXPECT(read(answer[0], &token, 1), ==, 1);

  for (uint8 k = 0; k < RUNGS; k++) {
    EXPECT_AT(k, write(command[1], &k, 1), ==, 1);
    EXPECT_AT(k, read(answer[0], &token, 1), ==, 1);
    pass_token(go[1]);
    outcomes[k] = wait_status();
  }
  kill_all(&hog_pid, 1);
  for (int i = 0; i < 2; i++) {
    close(go[i]);
    close(command[i]);
    close(answer[i]);
  }
  EXPECT(mark_flaw(shared_pages, SHARED, 1), ==, -1);
}

// What came of it: nothing but the three legal outcomes; without a frame not a
// success, where the body cannot do without; and a success with memory to spare.
static void expect_clean(int (*body)(void), int may_be_killed) {
  climb(body);
  for (int k = 0; k < RUNGS; k++) {
    int status = outcomes[k];
    if (status == KILLED && may_be_killed) continue;
    if (status != REFUSED) EXPECT_AT(k, status, ==, 0);
  }
  EXPECT(outcomes[0], !=, 0);
  int pid = must_fork();
  if (pid == 0) exit(body());
  EXPECT(wait_status(), ==, 0);
}

static int intact(void) { return mark_flaw(shared_pages, SHARED, 1) == -1; }

// --- The rungs ---

static int try_exec(void) {
  char *argv[] = {EXEC_HELPER, 0};
  EXPECT(exec("/usertests", argv), ==, -1);
  EXPECT(intact(), ==, 1);
  return REFUSED;
}

static int try_fork(void) {
  int pid = fork();
  EXPECT(intact(), ==, 1);
  if (pid < 0) {
    EXPECT(wait(0), ==, -1);
    return REFUSED;
  }
  mark_pages(shared_pages, SHARED, pid == 0 ? 2 : 3);
  EXPECT(mark_flaw(shared_pages, SHARED, pid == 0 ? 2 : 3), ==, -1);
  if (pid == 0) exit(0);
  int status = wait_status();
  if (status != KILLED) EXPECT(status, ==, 0);
  return 0;
}

static int try_touch(void) {
  char *base = page_break();
  grow(4 * PGSIZE);
  base[3 * PGSIZE + 5] = 1;
  EXPECT(nonzero(base + 3 * PGSIZE, PGSIZE), ==, 5);
  return 0;
}

static int try_cow_store(void) {
  for (int i = 0; i < SHARED; i++) {
    shared_pages[i * PGSIZE + PGSIZE - 1] += 1;
    EXPECT_AT(i, shared_pages[i * PGSIZE + PGSIZE - 1], ==, 1);
    EXPECT_AT(i, intact(), ==, 1);
  }
  return 0;
}

static int try_cow_copyout(void) {
  struct stat *st = (struct stat *)(shared_pages + PGSIZE - 12);  // two pages at once
  int result = fstat(0, st);
  EXPECT(intact(), ==, 1);
  if (result == 0) EXPECT(st->type, ==, T_DEVICE);
  if (result != 0) EXPECT(result, ==, -1);
  return result == 0 ? 0 : REFUSED;
}

static int try_lazy_copyout(void) {
  char *base = page_break();
  grow(2 * PGSIZE);
  struct stat *st = (struct stat *)(base + PGSIZE - 12);
  int result = fstat(0, st);
  if (result == 0) EXPECT(st->type, ==, T_DEVICE);
  if (result != 0) EXPECT(result, ==, -1);
  return result == 0 ? 0 : REFUSED;
}

static int try_eager(void) {
  char *base = sbrk(0);
  if (sbrkeager(5 * PGSIZE) == SBRK_ERROR) {
    EXPECT(sbrk(0), ==, base);
    return REFUSED;
  }
  EXPECT(nonzero(base, 5 * PGSIZE), ==, -1);
  return 0;
}

static int try_pipe(void) {
  int ends[2] = {-5, -5};
  char text[8];
  if (pipe(ends) < 0) return REFUSED;
  if (write(ends[1], "through", 8) != 8) return REFUSED;
  EXPECT(read(ends[0], text, 8), ==, 8);
  EXPECT(strcmp(text, "through"), ==, 0);
  return 0;
}

static void clean_files(void) {
  unlink("dir/too");
  unlink("dir");
  unlink("file");
}

// Any step may fail; none may be wrong.
static int try_files(void) {
  char text[16] = "";
  clean_files();
  int result = REFUSED;
  int fd = open("file", O_CREATE | O_TRUNC | O_RDWR);
  if (fd >= 0) {
    int wrote = write(fd, "sixteen letters", 16);
    close(fd);
    fd = open("file", O_RDONLY);
    int n = fd < 0 ? -1 : read(fd, text, 16);
    if (n == 16) EXPECT(strcmp(text, "sixteen letters"), ==, 0);
    if (n == 16 && wrote == 16 && mkdir("dir") == 0 && link("file", "dir/too") == 0) result = 0;
    close(fd);
  }
  clean_files();
  return result;
}

// --- The tests ---

// exec that runs out of memory anywhere on its way.  The new program may die of
// the same shortage.  (Pitfall 34.)
void test_execout(void) { expect_clean(try_exec, 1); }

// fork likewise.  Parent or child may die at its first write.  (Pitfall 8.)
void test_nomem_fork(void) { expect_clean(try_fork, 1); }

// A write to a shared page, by the program and by the kernel.  (Pitfall 12.)
void test_nomem_cow(void) {
  expect_clean(try_cow_store, 1);
  EXPECT(outcomes[0], ==, KILLED);
  expect_clean(try_cow_copyout, 0);
  EXPECT(outcomes[0], ==, REFUSED);
}

// And the rest.  (Pitfalls 12, 27, 51.)
void test_nomem_calls(void) {
  expect_clean(try_touch, 1);
  EXPECT(outcomes[0], ==, KILLED);
  expect_clean(try_lazy_copyout, 0);
  expect_clean(try_eager, 0);
  climb(try_pipe);
  for (int k = 0; k < RUNGS; k++)
    if (outcomes[k] != REFUSED) EXPECT_AT(k, outcomes[k], ==, 0);
  climb(try_files);
  for (int k = 0; k < RUNGS; k++)
    if (outcomes[k] != REFUSED) EXPECT_AT(k, outcomes[k], ==, 0);
  EXPECT(try_pipe() + try_files(), ==, 0);
}

// An eager growth that fails half-way has taken nothing.
static void fail_half_way(void) {
  struct memstat before = memstat_now();
  char *end = sbrk(0);
  EXPECT(sbrkeager(64 * PGSIZE), ==, SBRK_ERROR);
  EXPECT(sbrk(0), ==, end);
  struct memstat after = memstat_now();
  EXPECT(after.user, ==, before.user);
  EXPECT(after.pagetable, ==, before.pagetable);
  EXPECT(after.free + after.kept, ==, before.free + before.kept);
}

// Whatever memory a program wants back it gets: all of it taken, returned, and
// handed out by malloc in pieces that do not overlap.
static void use_malloc(void *unused) {
  static uint64 *blocks[200];
  (void)unused;
  take_all_memory(20);
  fail_half_way();
  shrink((uint64)sbrk(0) - (stack_page() + PGSIZE));
  for (int i = 0; i < 600; i++) {
    int k = next_random() % COUNT_OF(blocks);
    uint64 words = 2 + k * k % 300;
    if (blocks[k]) {
      EXPECT_AT(k, paint_flaw(blocks[k], words * 8, k), ==, -1);
      free(blocks[k]);
      blocks[k] = 0;
      continue;
    }
    blocks[k] = malloc(words * 8);
    EXPECT_AT(k, blocks[k], !=, 0);
    EXPECT_AT(k, (uint64)blocks[k] % 16, ==, 0);
    paint(blocks[k], words * 8, k);
  }
}

void test_mem(void) { EXPECT(hungry_status(use_malloc, 0), ==, 0); }

// --- Failures on purpose ---

// The after-th request of the body is refused, for every `after` until the body
// makes fewer.  In a default build there are no such orders, and the call says so.
#define UNTOUCHED  100  // the order was never carried out

static int failing_at(int point, int after, int (*body)(void)) {
  if (must_fork() != 0) return wait_status();
  EXPECT(inject(point, after), >=, 0);
  int status = body();
  exit(inject(point, 0) < after ? UNTOUCHED + status : status);
}

static void try_each_failure(int point, int (*body)(void), int may_be_killed) {
  int quiet = 0;  // successes in a row: a body that execs cannot say UNTOUCHED
  for (int after = 1; after < 300 && quiet < 8; after++) {
    mark_pages(shared_pages, SHARED, 1);
    clean_files();
    int status = failing_at(point, after, body);
    if (status == UNTOUCHED) return;
    quiet = status == 0 ? quiet + 1 : 0;
    if (status == REFUSED || (status == KILLED && may_be_killed)) continue;
    EXPECT_AT(after, status, ==, 0);
  }
  EXPECT(quiet, ==, 8);
}

static int injection_works(void) {
  EXPECT(inject(INJECT_POINTS, 1), ==, -1);
  EXPECT(inject(-1, 1), ==, -1);
  return inject(INJECT_KALLOC, 0) >= 0;
}

void test_inject_memory(void) {
  static int (*const bodies[])(void) = {try_exec,  try_fork, try_touch, try_cow_store,
                                        try_cow_copyout, try_lazy_copyout, try_eager,
                                        try_pipe,  try_files};
  if (!injection_works()) return;
  own_pages(shared_pages, sizeof(shared_pages));
  for (int i = 0; i < COUNT_OF(bodies); i++) {
    uint64 frames = free_frames();
    try_each_failure(INJECT_KALLOC, bodies[i], 1);
    EXPECT_AT(i, frames_missing(frames, 30), ==, 0);
  }
}

// A disk error is an error of the call; the files live on.  (Pitfall 54.)
void test_inject_disk(void) {
  if (!injection_works()) return;
  file_make("kept", 5000, 9);
  try_each_failure(INJECT_DISK, try_files, 0);
  try_each_failure(INJECT_DISK, try_exec, 1);
  file_check("kept", 5000, 9);
  EXPECT(try_files(), ==, 0);
}
