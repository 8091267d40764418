// Mistakes of the file system that only show once the buffer cache has let go of a
// block or has never had it, or where many harts want one number at the same time.
#include "kernel/inject.h"
#include "kernel/procinfo.h"
#include "user/usertests/ut.h"

// --- What is on the disk is what was seen ---

#define FILLERS  5  // of the largest size: more blocks than the cache of a small machine has

static void push_out_of_cache(void) {
  char name[16];
  for (int i = 0; i < FILLERS; i++) file_make(name_of(name, "filler", i), MAXFILE * BSIZE, i);
  for (int i = 0; i < FILLERS; i++) EXPECT_AT(i, unlink(name_of(name, "filler", i)), ==, 0);
}

static void read_blocks(char *to, int bytes) {
  int fd = must_open("file", O_RDONLY);
  EXPECT(read(fd, to, bytes), ==, bytes);
  close(fd);
}

// A write whose source ends in the middle of a block fails.  It may have changed the
// block or not; a reader sees the same before the cache has dropped it as after.
// (Pitfall 31.)
void test_write_evicted(void) {
  static char before[2 * BSIZE], after[2 * BSIZE];
  char *end = page_break() + PGSIZE;
  grow(PGSIZE);
  file_make("file", sizeof(before), 1);
  push_out_of_cache();
  for (int half = 1; half <= 2; half++) {
    char *from = end - half * BSIZE / 2;
    memset(from, 'a' + half, end - from);
    int fd = must_open("file", O_RDWR);
    EXPECT_AT(half, write(fd, from, 2 * BSIZE), <, 2 * BSIZE);
    close(fd);
    read_blocks(before, sizeof(before));
    push_out_of_cache();
    read_blocks(after, sizeof(after));
    EXPECT_AT(half, memcmp(before, after, sizeof(before)), ==, 0);
  }
}

// --- Reading fails ---

// The first blocks of programs that nobody has run, while the disk does not answer:
// read says so and does not hand out what happens to lie in the cache.  (Pitfall 54.)
void test_disk_read_error(void) {
  static char *const programs[] = {"/zombie", "/ln", "/wc", "/pgtbl", "/mkdir", "/grep"};
  char start[4];
  for (int i = 0; i < COUNT_OF(programs); i++) {
    memset(start, 0, sizeof(start));
    inject(INJECT_DISK, 1);
    int fd = open(programs[i], O_RDONLY);
    int n = fd < 0 ? -1 : read(fd, start, sizeof(start));
    inject(INJECT_DISK, 0);
    if (n >= 0) EXPECT_AT(i, memcmp(start, "\x7f" "ELF", sizeof(start)), ==, 0);
    close(fd);
    fd = must_open(programs[i], O_RDONLY);
    EXPECT_AT(i, read(fd, start, sizeof(start)), ==, sizeof(start));
    EXPECT_AT(i, memcmp(start, "\x7f" "ELF", sizeof(start)), ==, 0);
    close(fd);
  }
}

// --- At the same time ---

#define WORKERS  8

// Writes at the same time, each of which alone is more than the log takes.  What
// lies behind the log on the disk are the inodes.  (Pitfall 58.)
void test_log_race(void) {
  static uint8 bytes[50 * BSIZE];
  struct start line;
  char name[16];
  start_make(&line);
  for (int w = 0; w < WORKERS; w++) {
    if (must_fork() != 0) continue;
    for (int i = 0; i < COUNT_OF(bytes); i++) bytes[i] = file_byte(w, i);
    name_of(name, "large", w);
    start_wait(&line);
    for (int i = 0; i < 3; i++) {
      int fd = must_open(name, O_CREATE | O_TRUNC | O_RDWR);
      EXPECT_AT(i, write(fd, bytes, sizeof(bytes)), ==, sizeof(bytes));
      close(fd);
    }
    file_check(name, sizeof(bytes), w);
    exit(0);
  }
  start_now(&line);
  join_all(WORKERS);
}

static uint inode_of(const char *path) {
  struct stat st;
  EXPECT(stat(path, &st), ==, 0);
  return st.ino;
}

// Each path that is not absolute takes a reference to the current directory for a
// moment.  When all are gone the directory can be removed for good: its inode is
// the first free one.  (Pitfall 57.)
void test_directory_race(void) {
  struct start line;
  EXPECT(mkdir("busy"), ==, 0);
  uint inode = inode_of("busy");
  EXPECT(chdir("busy"), ==, 0);
  start_make(&line);
  for (int w = 0; w < WORKERS; w++) {
    if (must_fork() != 0) continue;
    start_wait(&line);
    for (int i = 0; i < 4000; i++) EXPECT_AT(i, open("nothing", O_RDONLY), ==, -1);
    exit(0);
  }
  start_now(&line);
  join_all(WORKERS);
  EXPECT(chdir(".."), ==, 0);
  EXPECT(unlink("busy"), ==, 0);
  EXPECT(mkdir("again"), ==, 0);
  EXPECT(inode_of("again"), ==, inode);
}

// Files made in different directories, so that no lock of a directory is between
// them: each is an inode of its own.  (Pitfall 45.)
static void make_files(int w) {
  char name[16];
  name_of(name, "own", w);
  EXPECT(mkdir(name), ==, 0);
  EXPECT(chdir(name), ==, 0);
  for (uint64 i = 0; i < 50; i++) {
    struct stat st;
    uint64 mark = stamp(w, i), seen = 0;
    int fd = must_open("file", O_CREATE | O_RDWR);
    EXPECT_AT(i, write(fd, &mark, 8), ==, 8);
    close(fd);
    fd = must_open("file", O_RDONLY);
    EXPECT_AT(i, fstat(fd, &st), ==, 0);
    EXPECT_AT(i, st.size, ==, 8);
    EXPECT_AT(i, st.nlink, ==, 1);
    EXPECT_AT(i, read(fd, &seen, 8), ==, 8);
    EXPECT_AT(i, seen, ==, mark);
    close(fd);
    EXPECT_AT(i, unlink("file"), ==, 0);
  }
}

void test_inode_race(void) {
  struct start line;
  start_make(&line);
  for (int w = 0; w < WORKERS; w++) {
    if (must_fork() != 0) continue;
    start_wait(&line);
    make_files(w);
    exit(0);
  }
  start_now(&line);
  join_all(WORKERS);
}

// --- Killed in a queue ---

// Processes that want one inode's lock all the time are killed, most of them where
// they wait for it: it still has one owner, and then none.  (Pitfalls 13, 48.)
static void read_for_ever(void) {
  static char bytes[MAXOPBLOCKS * BSIZE];
  for (;;) {
    int fd = must_open("file", O_RDONLY);
    while (read(fd, bytes, sizeof(bytes)) > 0) continue;
    close(fd);
  }
}

void test_kill_queue(void) {
  file_make("file", 3 * MAXOPBLOCKS * BSIZE, 2);
  for (int round = 0; round < 15; round++) {
    int pids[WORKERS];
    for (int i = 0; i < WORKERS; i++)
      if ((pids[i] = must_fork()) == 0) read_for_ever();
    for (volatile uint64 spin = next_random() % 2000000; spin > 0; spin--) {
    }
    kill_all(pids, WORKERS);
    file_check("file", 3 * MAXOPBLOCKS * BSIZE, 2);
  }
}

// --- Parents that end together with their children ---

// init may fall behind with so many orphans, and the table be full for a while.
static int fork_patiently(void) {
  int pid;
  for (int ticks = 100; (pid = fork()) < 0 && ticks > 0; ticks--) sleep(1);
  EXPECT(pid, >=, 0);
  return pid;
}

// Children wait for the end of their parent, which is the first to close the pipe:
// they look for whom to tell while that changes.  One that tells the dead is never
// reaped, and its kernel stack is missing.  (Pitfall 39.)
static void end_together(uint64 pages) {
  int ends[2];
  char nothing;
  EXPECT(pipe(ends), ==, 0);
  for (int i = 0; i < 6; i++) {
    uint64 most = next_random() % 4000;
    if (fork_patiently() != 0) continue;
    close(ends[1]);
    EXPECT(read(ends[0], &nothing, 1), ==, 0);
    for (volatile uint64 spin = most; spin > 0; spin--) {
    }
    exit(3);
  }
  mark_pages(grow(pages * PGSIZE), pages, 1);  // what it takes to end
  exit(0);
}

void test_orphan_race(void) {
  page_break();
  for (int w = 0; w < 3; w++) {
    if (fork_patiently() != 0) continue;
    random_start(w);
    for (int i = 0; i < 150; i++) {
      uint64 pages = next_random() % 600;
      if (fork_patiently() == 0) end_together(pages);
      join_all(1);
    }
    exit(0);
  }
  join_all(3);
}

// Kernel stacks stay with their process slots: as many processes as before need no new
// ones, and the stacks of those that have ended count as kept.  (Pitfall 69.)
void test_kept_stacks(void) {
  enum { PROCESSES = 20, FRAMES = 2 * PROCESSES };
  for (int round = 0; round < 3; round++) {
    struct start line;
    struct memstat before = memstat_now();
    start_make(&line);
    for (int i = 0; i < PROCESSES; i++)
      if (must_fork() == 0) {
        start_wait(&line);
        exit(0);
      }
    struct memstat during = memstat_now();
    start_now(&line);
    join_all(PROCESSES);
    struct memstat after = memstat_now();
    EXPECT_AT(round, during.kstack, ==, before.kstack + FRAMES);
    EXPECT_AT(round, after.kstack, ==, before.kstack);
    EXPECT_AT(round, after.kept, >=, FRAMES);
    if (round == 0) continue;
    EXPECT_AT(round, during.kept, ==, before.kept - FRAMES);
    EXPECT_AT(round, after.kept, ==, before.kept);
  }
}

// With more processes than a frame has rows: each is there once, and no more rows are
// written than were asked for.
void test_proclist(void) {
  enum { CHILDREN = 200 };
  static struct procinfo rows[NPROC + 1];
  static int pids[CHILDREN];
  for (int i = 0; i < CHILDREN; i++)
    if ((pids[i] = must_fork()) == 0)
      for (;;) sleep(1000);
  int n = proclist(rows, NPROC);
  EXPECT(n, >, CHILDREN);
  for (int i = 0; i < CHILDREN; i++) {
    int times = 0;
    for (int k = 0; k < n; k++) times += rows[k].pid == pids[i] && rows[k].ppid == getpid();
    EXPECT_AT(i, times, ==, 1);
  }
  for (int max = 0; max < CHILDREN; max += 67) {
    rows[max].pid = -7;
    EXPECT_AT(max, proclist(rows, max), ==, max);
    EXPECT_AT(max, rows[max].pid, ==, -7);
  }
  EXPECT(proclist(rows, -1), ==, -1);
  kill_all(pids, CHILDREN);
}
