// "No memory" is the truth: while more frames are free than all processes together can
// use, no call and no fault may be told that there are none, however often frames go from
// one process, and one hart, to another at that moment.
//
// Some processes take a little memory and give it back, again and again.  Before, a hog
// has taken all but a known number of frames.  Each process counts its failures.
#include "user/usertests/ut.h"

#define MIB  (1UL << 20)

enum { WORKERS = 8 };

// What a worker does, after `prime` has made it own all other memory that it needs.
struct shape {
  const char *name;
  void (*prime)(void);
  int (*round)(void);  // returns how many failures it has met
  int rounds;
  int spare;           // frames that are free; more than the workers use at a time
};

static int ready[2], go[2], counts[2], leave[2];

static void pass_tokens(int fd, int n) {
  char token = 0;
  for (int i = 0; i < n; i++) EXPECT(write(fd, &token, 1), ==, 1);
}

static void take_token(int fd) {
  char token;
  EXPECT(read(fd, &token, 1), ==, 1);
}

// --- The shapes ---

static void own_table(void) {
  char *base = page_break();
  grow(PGSIZE);
  *base = 1;
}

static int take_pages(int n) {
  if (sbrkeager(n * PGSIZE) == SBRK_ERROR) return 1;
  shrink(n * PGSIZE);
  return 0;
}
static int take_one(void) { return take_pages(1); }
static int take_three(void) { return take_pages(3); }

// Behind a border of page tables, so that each round makes and cuts off one.
static void reach_border(void) {
  own_table();
  grow(2 * MIB - (uint64)sbrk(0) % (2 * MIB));
}

static void nothing(void) {}

static int take_pipe(void) {
  int ends[2];
  if (pipe(ends) < 0) return 1;
  close(ends[0]);
  close(ends[1]);
  return 0;
}

// The child copies the page of its stack.
static int take_process(void) {
  int status = 0, pid = fork();
  if (pid == 0) exit(0);
  if (pid < 0 || wait(&status) != pid) return 1;
  return status != 0;
}

static const struct shape shapes[] = {
    {"a page", own_table, take_one, 10000, WORKERS + 1},
    {"three pages", own_table, take_three, 2000, 3 * WORKERS + 1},
    {"a page and its table", reach_border, take_one, 2000, 2 * WORKERS + 1},
    {"a pipe", nothing, take_pipe, 2000, 2 * WORKERS},
    {"a process", nothing, take_process, 1500, 160},
};

// --- All of them at once ---

static void work(const struct shape *shape, struct start *line) {
  static int failures;
  own_pages(&failures, sizeof(failures));
  shape->prime();
  failures = shape->round();
  start_wait(line);
  pass_tokens(ready[1], 1);
  take_token(go[0]);
  for (int i = 0; i < shape->rounds; i++) failures += shape->round();
  EXPECT(write(counts[1], &failures, sizeof(failures)), ==, sizeof(failures));
  take_token(leave[0]);
  exit(0);
}

static void hog(const struct shape *shape, struct start *line) {
  start_wait(line);
  for (int i = 0; i < WORKERS; i++) take_token(ready[0]);
  take_all_memory(shape->spare);
  pass_tokens(go[1], WORKERS);
  take_token(leave[0]);
  exit(0);
}

static void try_shape(const struct shape *shape) {
  struct start line;
  int failures = 0, mine;
  pipe_primed(ready);
  pipe_primed(go);
  pipe_primed(counts);
  pipe_primed(leave);
  start_make(&line);
  for (int i = 0; i < WORKERS; i++)
    if (must_fork() == 0) work(shape, &line);
  int pid = must_fork();
  if (pid == 0) hog(shape, &line);
  start_now(&line);
  for (int i = 0; i < WORKERS; i++) {
    EXPECT_AT(i, read(counts[0], &mine, sizeof(mine)), ==, sizeof(mine));
    failures += mine;
  }
  pass_tokens(leave[1], WORKERS + 1);
  join_all(WORKERS + 1);
  CHECK(failures == 0, "%s: %d of %d rounds met no memory", shape->name, failures,
        WORKERS * shape->rounds);
  for (int i = 0; i < 2; i++) {
    close(ready[i]);
    close(go[i]);
    close(counts[i]);
    close(leave[i]);
  }
}

// (Pitfall 68.)
void test_nomem_truth(void) {
  for (int i = 0; i < COUNT_OF(shapes); i++) try_shape(&shapes[i]);
}
