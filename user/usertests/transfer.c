// What read and write return, and what they have moved then.  The rule for files, pipes
// and devices alike: the count, if at least one byte was moved; else 0 at the end of a
// file, whatever the address, and -1 for an address whose first byte is bad.
#include "kernel/inject.h"
#include "user/usertests/ut.h"

#define WANTED  100  // bytes that each call asks for
#define BEFORE  60   // of which these lie before the bad page
#define PLACES  4
#define FILE    3000  // bytes

static char near[WANTED + 28];
static uint8 seen[FILE + WANTED];

// An address, and how many bytes can be written to it and read from it.
static struct place {
  char *at;
  int into, from;
} places[PLACES];

static void make_places(void) {
  static const char constant[WANTED] =
      "constant constant constant constant constant constant constant constant constant "
      "constant constant.";
  char *end = page_break() + PGSIZE;
  grow(PGSIZE);
  places[0] = (struct place){near, WANTED, WANTED};
  places[1] = (struct place){end, 0, 0};
  places[2] = (struct place){end - BEFORE, BEFORE, BEFORE};
  places[3] = (struct place){(char *)constant, 0, WANTED};
}

// --- Reading ---

enum source { S_FILE, S_FILE_END, S_DIR, S_DIR_END, S_PIPE, S_PIPE_END, S_STATS, SOURCES };
static int ends[2];

static int read_to_end(int fd) {
  int n, all = 0;
  while ((n = read(fd, seen + all, sizeof(seen) - all)) > 0) all += n;
  EXPECT(n, ==, 0);
  return all;
}

// A descriptor with WANTED bytes or more to read, or at the end.
static int open_source(enum source kind) {
  int fd;
  switch (kind) {
    case S_FILE:
    case S_FILE_END: fd = must_open("source", O_RDONLY); break;
    case S_DIR:
    case S_DIR_END: fd = must_open(".", O_RDONLY); break;
    case S_STATS: fd = must_open("/statistics", O_RDONLY); break;
    default:
      EXPECT(pipe(ends), ==, 0);
      for (int i = 0; i < WANTED; i++) seen[i] = file_byte(1, i);
      if (kind == S_PIPE) EXPECT(write(ends[1], seen, WANTED), ==, WANTED);
      close(ends[1]);
      fd = ends[0];
  }
  if (kind == S_FILE_END || kind == S_DIR_END) read_to_end(fd);
  return fd;
}

// What is left to read: just the bytes that have not been moved.
static void check_source(enum source kind, int fd, const char *at, int moved) {
  static const int all[SOURCES] = {[S_FILE] = FILE, [S_PIPE] = WANTED};
  int left = read_to_end(fd);
  if (kind != S_FILE && kind != S_PIPE) return;
  for (int i = 0; i < moved; i++) EXPECT_AT(i, (uint8)at[i], ==, file_byte(1, i));
  EXPECT_AT(kind, left, ==, all[kind] - moved);
  for (int i = 0; i < left; i++) EXPECT_AT(i, seen[i], ==, file_byte(1, moved + i));
}

void test_read_results(void) {
  char name[16];
  make_places();
  file_make("source", FILE, 1);
  for (int i = 0; i < 8; i++) file_make(name_of(name, "entry", i), 0, 0);
  for (int kind = 0; kind < SOURCES; kind++)
    for (int i = 0; i < PLACES; i++) {
      const struct place *p = &places[i];
      int at_end = kind == S_FILE_END || kind == S_DIR_END || kind == S_PIPE_END;
      int expected = at_end ? 0 : p->into > 0 ? p->into : -1;
      int fd = open_source(kind);
      memset(near, 'n', sizeof(near));
      EXPECT_AT(kind * 10 + i, read(fd, p->at, WANTED), ==, expected);
      for (int k = i == 0 && expected > 0 ? WANTED : 0; k < COUNT_OF(near); k++)
        EXPECT_AT(k, near[k], ==, 'n');
      check_source(kind, fd, p->at, expected > 0 ? expected : 0);
      close(fd);
    }
}

// --- Writing ---

// The first n bytes of what is at the place are in seen[], from byte `from` on, and
// around them there is what was there before.
static void check_written(const struct place *p, int from, int n, int all) {
  for (int i = 0; i < all; i++) {
    int written = i >= from && i < from + n;
    EXPECT_AT(i, seen[i], ==, written ? (uint8)p->at[i - from] : file_byte(2, i));
  }
}

static void write_to_file(const struct place *p, int from, int expected) {
  file_make("target", FILE, 2);
  int fd = must_open("target", O_RDWR);
  EXPECT(read(fd, seen, from), ==, from);
  EXPECT_AT(from, write(fd, p->at, WANTED), ==, expected);
  int n = expected > 0 ? expected : 0, all = from + n > FILE ? from + n : FILE;
  EXPECT_AT(from, read_to_end(fd), ==, all - from - n);
  close(fd);
  fd = must_open("target", O_RDONLY);
  EXPECT_AT(from, read_to_end(fd), ==, all);
  check_written(p, from, n, all);
  close(fd);
}

static void write_to_pipe(const struct place *p, int expected) {
  EXPECT(pipe(ends), ==, 0);
  EXPECT(write(ends[1], p->at, WANTED), ==, expected);
  close(ends[1]);
  EXPECT(read_to_end(ends[0]), ==, expected > 0 ? expected : 0);
  check_written(p, 0, expected > 0 ? expected : 0, 0);
  close(ends[0]);
}

static void write_without_reader(const struct place *p) {
  EXPECT(pipe(ends), ==, 0);
  close(ends[0]);
  EXPECT(write(ends[1], p->at, WANTED), ==, -1);
  close(ends[1]);
}

void test_write_results(void) {
  make_places();
  int console = must_open("/console", O_RDWR), reader = must_open("/init", O_RDONLY);
  for (int i = 0; i < PLACES; i++) {
    const struct place *p = &places[i];
    int expected = p->from > 0 ? p->from : -1;
    for (int k = 0; k < p->from && p->into > 0; k++) p->at[k] = 'A' + i;
    write_to_file(p, 0, expected);
    write_to_file(p, BSIZE - 30, expected);
    write_to_file(p, FILE - 30, expected);
    write_to_pipe(p, expected);
    write_without_reader(p);
    EXPECT_AT(i, write(console, p->at, WANTED), ==, expected);
    EXPECT_AT(i, write(reader, p->at, WANTED), ==, -1);
  }
  EXPECT(nonzero(near + WANTED, sizeof(near) - WANTED), ==, -1);
}

// --- A commit that fails ---

static void expect_content(const char *name, const char *content) {
  int fd = must_open(name, O_RDONLY);
  memset(seen, 0, sizeof(seen));
  EXPECT(read(fd, seen, sizeof(seen)), ==, strlen(content));
  EXPECT(strcmp((char *)seen, content), ==, 0);
  close(fd);
}

static int write_failing(int fd, const char *bytes) {
  inject(INJECT_DISK, 1);
  int n = write(fd, bytes, strlen(bytes));
  inject(INJECT_DISK, 0);
  return n;
}

// -1 after a failed commit: the offset has not moved, so that trying again writes the
// same bytes to the same place, in this process or in another that shares the open file.
void test_failed_commit(void) {
  if (inject(INJECT_DISK, 0) < 0) return;
  int fd = must_open("file", O_CREATE | O_RDWR);
  EXPECT(write(fd, "x", 1), ==, 1);
  EXPECT(write_failing(fd, "AAAAA"), ==, -1);
  EXPECT(write(fd, "AAAAA", 5), ==, 5);
  EXPECT(size_of(fd), ==, 6);
  expect_content("file", "xAAAAA");

  EXPECT(write_failing(fd, "BBB"), ==, -1);
  if (must_fork() == 0) {
    EXPECT(write(fd, "CC", 2), ==, 2);
    exit(0);
  }
  join_all(1);
  EXPECT(write(fd, "DDD", 3), ==, 3);
  expect_content("file", "xAAAAACCDDD");
  EXPECT(read(fd, seen, 1), ==, 0);
}

// How many disk requests a sync makes that must succeed.
static int requests_of_sync(void) {
  inject(INJECT_DISK, 1000);
  EXPECT(sync(), ==, 0);
  return inject(INJECT_DISK, 0);
}

// A sync whose n-th disk request fails.  Returns whether it made so many.
static int sync_failing(int n, int *result) {
  inject(INJECT_DISK, n);
  *result = sync();
  return inject(INJECT_DISK, 0) >= n;
}

// sync writes what a failed commit has left in memory, and says so if it cannot; what has
// been written needs no request.  (From some request on, the blocks are safe in the log,
// though not yet in their places: it returns 0.)
void test_sync(void) {
  EXPECT(sync(), ==, 0);
  if (inject(INJECT_DISK, 0) < 0) return;
  int fd = must_open("file", O_CREATE | O_RDWR);
  EXPECT(write(fd, "x", 1), ==, 1);
  EXPECT(requests_of_sync(), ==, 0);
  int result, request = 1, failed = 0;
  for (;; request++) {
    EXPECT_AT(request, write_failing(fd, "AAAAA"), ==, -1);
    if (!sync_failing(request, &result)) break;
    failed += result == -1;
    EXPECT_AT(request, requests_of_sync(), >, 0);
    EXPECT_AT(request, requests_of_sync(), ==, 0);
    EXPECT_AT(request, size_of(fd), ==, 6);
  }
  EXPECT(result, ==, 0);
  EXPECT(failed, >=, 2);
  EXPECT(request, >, 3);
  expect_content("file", "xAAAAA");
}
