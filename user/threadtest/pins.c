// Buffers of system calls that wait, while another thread takes the memory away, shares it
// with a child, or changes what was looked at.
#include "kernel/types.h"
#include "kernel/fcntl.h"
#include "kernel/fs.h"
#include "kernel/inject.h"
#include "kernel/procinfo.h"
#include "user/threadtest/threadtest.h"

enum { FROM = 1000, BYTES = 1000, CUT = 1500, RING = 2048 };

static char *area;  // one page, or more, up to the break
static int ends[2], result, begun, stop;
static char bytes[PGSIZE] __attribute__((aligned(PGSIZE)));

static void make_area(int pages) {
  sbrk(-(uint64)sbrk(0) % PGSIZE);
  area = sbrk(pages * PGSIZE);
  memset(area, 'o', pages * PGSIZE);
}

// The threads have static stacks, so that the heap is the test's alone.
static int start(thread_fn *fn) {
  set(&begun, 0);
  int pid = must_clone(fn, 0, stack_page());
  doze_until(&begun, 1);
  return pid;
}

static int is_asleep(int pid) {
  static struct procinfo rows[NPROC];
  for (int i = proclist(rows, NPROC) - 1; i >= 0; i--)
    if (rows[i].pid == pid) return rows[i].state == 'S';
  return 0;
}

// Starts a thread that waits in a call.
static void start_waiting(thread_fn *fn) {
  int pid = start(fn), from = uptime();
  do sleep(1);
  while (!is_asleep(pid) && !passed(from, PATIENCE));
  CHECK(is_asleep(pid), "the thread does not wait");
}

static void finish(void) { CHECK(join(0) > 0, "join failed"); }

static void read_area(void *arg, void *arg2) {
  (void)arg, (void)arg2;
  set(&begun, 1);
  result = read(ends[0], area + FROM, BYTES);
  exit(0);
}

static void write_area(void *arg, void *arg2) {
  (void)arg, (void)arg2;
  set(&begun, 1);
  result = write(ends[1], area + FROM, BYTES);
  exit(0);
}

static void start_reading(void) {
  CHECK_EQ(pipe(ends), 0);
  start_waiting(read_area);
}

static void send(void) {
  memset(bytes, 'q', BYTES);
  CHECK_EQ(write(ends[1], bytes, BYTES), BYTES);
  finish();
  CHECK_EQ(result, BYTES);
}

// A thread waits for room in a full pipe.
static void start_writing(void) {
  CHECK_EQ(pipe(ends), 0);
  memset(bytes, 'f', RING);
  CHECK_EQ(write(ends[1], bytes, RING), RING);
  start_waiting(write_area);
}

// What it wrote comes out.
static void receive(void) {
  for (int got = 0, n; got < RING; got += n) {
    n = read(ends[0], bytes, RING - got);
    CHECK(n > 0, "read gave %d", n);
    for (int i = 0; i < n; i++) CHECK_EQ(bytes[i], 'f');
  }
  finish();
  CHECK_EQ(result, BYTES);
  CHECK_EQ(read(ends[0], bytes, BYTES), BYTES);
}

static void close_pipe(void) {
  close(ends[0]);
  close(ends[1]);
}

static void check_bytes(int from, int to, char expected) {
  for (int i = from; i < to; i++)
    CHECK(area[i] == expected, "byte %d is %d, not %d", i, area[i], expected);
}

// ---- a fork meanwhile ------------------------------------------------------

static struct gate look;

static int fork_that_looks(void) {
  gate_make(&look);
  int pid = must_fork();
  if (pid == 0) {
    gate_wait(&look);
    check_bytes(0, PGSIZE, 'o');
    exit(0);
  }
  return pid;
}

static void end_looking(int pid) {
  gate_open(&look, 1);
  wait_for(pid, 0);
  gate_close(&look);
  close_pipe();
}

// Bytes that arrive after a fork are the parent's, whether or not it has written to the
// page since.
void test_read_over_fork(void) {
  for (int touched = 0; touched < 2; touched++) {
    make_area(1);
    start_reading();
    int pid = fork_that_looks();
    if (touched) *(volatile char *)area = 'o';
    send();
    check_bytes(0, FROM, 'o');
    check_bytes(FROM, FROM + BYTES, 'q');
    check_bytes(FROM + BYTES, PGSIZE, 'o');
    end_looking(pid);
  }
}

void test_write_over_fork(void) {
  make_area(1);
  start_writing();
  int pid = fork_that_looks();
  memset(area, 'x', PGSIZE);
  receive();
  for (int i = 0; i < BYTES; i++)
    CHECK(bytes[i] == 'o' || bytes[i] == 'x', "byte %d is %d", i, bytes[i]);
  end_looking(pid);
}

// ---- one moment ------------------------------------------------------------

enum { BETWEEN = 300 };  // pages

static int *first(void) { return (int *)area; }
static int *second(void) { return (int *)(area + BETWEEN * PGSIZE); }

static void count_twice(void *arg, void *arg2) {
  (void)arg, (void)arg2;
  set(&begun, 1);
  for (int n = 1; !get(&stop); n++) {
    set(first(), n);
    set(second(), n);
  }
  exit(0);
}

// A fork shows the pages of all threads at one moment, those of buffers in use, too.
void test_cut_beside_buffer(void) {
  make_area(BETWEEN + 1);
  set(first(), 0);
  set(second(), 0);
  start_reading();
  start(count_twice);
  for (int n = 0, from = uptime(); n < 100 && !passed(from, 25); n++) {
    int child = must_fork();
    if (child == 0) {
      int behind = *first() - *second();
      CHECK(behind == 0 || behind == 1, "the first is %d, the second %d", *first(), *second());
      exit(0);
    }
    wait_for(child, 0);
  }
  set(&stop, 1);
  finish();
  send();
  check_bytes(FROM, FROM + BYTES, 'q');
  close_pipe();
}

// ---- the break moves meanwhile ---------------------------------------------

// Below the break the bytes arrive.  Above it there may be zeros or bytes when it comes
// back: a store of the program's could have changed them, too.
void test_read_over_short_shrink(void) {
  make_area(1);
  start_reading();
  CHECK(sbrk(CUT - PGSIZE) != SBRK_ERROR, "shrink failed");
  send();
  check_bytes(FROM, CUT, 'q');
  CHECK(sbrk(PGSIZE - CUT) != SBRK_ERROR, "growth failed");
  check_bytes(0, FROM, 'o');
  for (int i = CUT; i < PGSIZE; i++)
    CHECK(area[i] == 0 || (area[i] == 'q' && i < FROM + BYTES), "byte %d is %d", i, area[i]);
  close_pipe();
}

// Takes frames for other things and fills them.
static char *fill_frames(int pages) {
  char *mine = sbrkeager(pages * PGSIZE);
  CHECK(mine != SBRK_ERROR, "sbrkeager failed");
  memset(mine, 'm', pages * PGSIZE);
  return mine;
}

enum { OTHERS = 100 };

// The whole buffer goes: the bytes are lost, and in nobody else's memory.
void test_read_over_shrink(void) {
  for (int round = 0; round < 3; round++) {
    make_area(1);
    start_reading();
    CHECK(sbrk(-PGSIZE) != SBRK_ERROR, "shrink failed");
    CHECK_EQ(sbrk(PGSIZE), area);
    check_bytes(0, PGSIZE, 0);
    char *others = fill_frames(OTHERS);
    send();
    check_bytes(0, PGSIZE, 0);
    for (int i = 0; i < OTHERS * PGSIZE; i++) CHECK_EQ(others[i], 'm');
    CHECK(sbrk(-(OTHERS + 1) * PGSIZE) != SBRK_ERROR, "shrink failed");
    close_pipe();
  }
}

void test_write_over_shrink(void) {
  for (int cut = 0; cut <= CUT; cut += CUT) {
    make_area(1);
    start_writing();
    CHECK(sbrk(cut - PGSIZE) != SBRK_ERROR, "shrink failed");
    fill_frames(OTHERS);
    receive();
    for (int i = 0; i < BYTES; i++) {
      int gone = cut > 0 && FROM + i >= cut;  // and is what grew there by now
      CHECK(bytes[i] == (gone ? 'm' : 'o'), "byte %d is %d", i, bytes[i]);
    }
    CHECK(sbrk(-OTHERS * PGSIZE) != SBRK_ERROR, "shrink failed");
    close_pipe();
  }
}

// ---- a string that changes -------------------------------------------------

enum { LONG = 100 };
static char path[256] __attribute__((aligned(256)));

static void take_nul_away(void *arg, void *arg2) {
  (void)arg, (void)arg2;
  set(&begun, 1);
  for (volatile char *nul = &path[LONG]; !get(&stop);) {
    *nul = 'x';
    *nul = 0;
  }
  exit(0);
}

static void check_names(void) {
  struct dirent entry;
  int dir = open("race", O_RDONLY);
  while (read(dir, &entry, sizeof(entry)) == sizeof(entry)) {
    char name[DIRSIZ + 1] = {0};
    memcpy(name, entry.name, DIRSIZ);
    CHECK(entry.inum == 0 || strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
              strcmp(name, "ab") == 0 || strcmp(name, "abx") == 0,
          "there is a file called %s", name);
  }
  close(dir);
}

// A path whose NUL comes and goes ends in one place or in the other, and never in what
// the kernel had for a path before.
void test_string_race(void) {
  static char before[MAXPATH];
  memset(before, 'z', MAXPATH - 1);
  CHECK_EQ(mkdir("race"), 0);
  memset(path, '/', LONG);
  memcpy(path, "race", 4);
  memcpy(path + LONG - 2, "ab", 2);
  start(take_nul_away);
  for (int from = uptime(); !passed(from, 30);)
    for (int i = 0; i < 100; i++) {
      open(before, O_RDONLY);
      int fd = open(path, O_CREATE | O_RDWR);
      CHECK(fd >= 0, "open failed");
      close(fd);
    }
  set(&stop, 1);
  finish();
  check_names();
  unlink("race/ab");
  unlink("race/abx");
  CHECK_EQ(unlink("race"), 0);
}

// ---- memory that makes its own program wait, and no other ------------------

enum { SLOW_PAGES = 3000, SLOW_TICKS = 25, PATIENT_TICKS = 12 };

static void read_root(void *arg, void *arg2) {
  (void)arg, (void)arg2;
  while (!get(&stop)) {
    int fd = open("/", O_RDONLY);
    while (read(fd, bytes, 64) == 64) continue;
    close(fd);
  }
  exit(0);
}

static void grow_slowly(void) {
  must_clone(read_root, 0, stack_page());
  inject(INJECT_FAULT, 1);
  int from = uptime();
  CHECK(sbrkeager(SLOW_PAGES * PGSIZE) != SBRK_ERROR, "sbrkeager failed");
  CHECK(passed(from, SLOW_TICKS), "the growth was not slow");
  exit(0);
}

// A program keeps its address space locked for seconds, while a thread of it reads the
// root directory: others open files as ever.
void test_open_beside_slow_memory(void) {
  if (inject(INJECT_FAULT, 0) < 0) return;
  int pid = must_fork(), worst = 0;
  if (pid == 0) grow_slowly();
  for (int begin = uptime(); !passed(begin, SLOW_TICKS); sleep(1)) {
    int from = uptime();
    close(open("/init", O_RDONLY));
    if (uptime() - from > worst) worst = uptime() - from;
  }
  wait_for(pid, 0);
  CHECK(worst < PATIENT_TICKS, "an open took %d ticks", worst);
}
