// Addresses that no program may use, given to every call that takes one.
#include "user/usertests/ut.h"

static char page[2 * PGSIZE];

// --- As the source of bytes ---

// Whatever is written from a bad address, nothing arrives.  (Pitfalls 25, 55.)
void test_copyin(void) {
  static const int lengths[] = {1, 512, 8192};
  int to_pipe[2], file = must_open("sink", O_CREATE | O_RDWR);
  EXPECT(pipe(to_pipe), ==, 0);
  for (int i = 0; i < bad_address_count; i++) {
    void *from = (void *)bad_addresses[i];
    for (int k = 0; k < COUNT_OF(lengths); k++) {
      EXPECT_AT(from, write(file, from, lengths[k]), ==, -1);
      EXPECT_AT(from, write(to_pipe[1], from, lengths[k]), ==, -1);
      EXPECT_AT(from, write(1, from, lengths[k]), ==, -1);
    }
  }
  EXPECT(size_of(file), ==, 0);
  close(to_pipe[1]);
  EXPECT(read(to_pipe[0], page, sizeof(page)), ==, 0);
}

// --- As the destination ---

// A call that cannot store its answer fails, and has not moved a file's offset.
// (Pitfalls 25, 33, 35.)
void test_copyout(void) {
  int from_pipe[2];
  file_make("source", 3000, 1);
  int file = must_open("source", O_RDONLY);
  EXPECT(pipe(from_pipe), ==, 0);
  EXPECT(write(from_pipe[1], "waiting", 7), ==, 7);
  for (int i = 0; i < bad_address_count; i++) {
    void *to = (void *)bad_addresses[i];
    EXPECT_AT(to, read(file, to, 3000), ==, -1);
    EXPECT_AT(to, read(from_pipe[0], to, 7), ==, -1);
    EXPECT_AT(to, fstat(file, to), ==, -1);
    EXPECT_AT(to, pipe(to), ==, -1);
    EXPECT_AT(to, memstat(to), ==, -1);
  }
  EXPECT(read(file, page, 1), ==, 1);
  EXPECT(page[0], ==, (char)file_byte(1, 0));
}

// --- As a string ---

// Each call that takes a path, with the path at `va`.
static const char *const string_calls[] = {"open",   "create", "chdir", "unlink",  "mkdir",
                                           "mknod",  "link from", "link to", "exec"};

static int call_with_path(int call, const char *path) {
  char *argv[] = {"none", 0};
  switch (call) {
    case 0: return open(path, O_RDONLY);
    case 1: return open(path, O_CREATE | O_RDWR);
    case 2: return chdir(path);
    case 3: return unlink(path);
    case 4: return mkdir(path);
    case 5: return mknod(path, 9, 0);
    case 6: return link(path, "made");
    case 7: return link("present", path);
    default: return exec(path, argv);
  }
}

static void expect_refused(const char *path, uint64 at) {
  for (int call = 0; call < COUNT_OF(string_calls); call++) {
    int result = call_with_path(call, path);
    CHECK(result == -1, "%s with the path at 0x%lx is to fail, gave %d", string_calls[call], at,
          result);
  }
}

void test_copyinstr1(void) {
  file_make("present", 10, 2);
  for (int i = 0; i < bad_address_count; i++)
    expect_refused((char *)bad_addresses[i], bad_addresses[i]);
  file_check("present", 10, 2);
}

// A path may have MAXPATH - 1 characters and no more.
static void long_path(char *path, int length, const char *name) {
  int pad = length - strlen(name);
  memset(path, '/', pad);
  for (int i = 0; i + 2 < pad; i += 2) path[i] = '.';
  strcpy(path + pad, name);
}

void test_copyinstr2(void) {
  static char path[MAXPATH + 2];
  file_make("present", 10, 3);
  long_path(path, MAXPATH - 1, "present");
  EXPECT(strlen(path), ==, MAXPATH - 1);
  EXPECT(exists(path), ==, 1);
  for (int over = 0; over < 2; over++) {
    long_path(path, MAXPATH + over, "present");
    expect_refused(path, over);
    long_path(path, MAXPATH + over, "made");
    expect_refused(path, over);
  }
  file_check("present", 10, 3);
  EXPECT(exists("made"), ==, 0);
}

// A string that runs into the end of memory is refused; one whose NUL is the
// last byte there is works.  (Pitfall 36.)
void test_copyinstr3(void) {
  char *end = page_break() + PGSIZE;
  grow(PGSIZE);
  file_make("present", 10, 4);
  memset(end - 64, 'x', 64);
  for (int back = 1; back < 20; back += 6) expect_refused(end - back, (uint64)end - back);
  end[-1] = 0;
  for (int back = 2; back <= DIRSIZ; back += 4) {
    int fd = open(end - back, O_CREATE | O_WRONLY);
    EXPECT_AT(back, fd, >=, 0);
    close(fd);
    EXPECT_AT(back, unlink(end - back), ==, 0);
  }
}

// --- Memory that was given back ---

static void expect_gone(int file, int *ends, char *at, int n) {
  EXPECT_AT(at, write(file, at, n), ==, -1);
  EXPECT_AT(at, read(file, at, n), ==, -1);
  EXPECT_AT(at, write(ends[1], at, n), ==, -1);
  EXPECT_AT(at, read(ends[0], at, n), ==, -1);
}

void test_rwsbrk(void) {
  int ends[2];
  file_make("data", 6000, 5);
  int file = must_open("data", O_RDWR);
  EXPECT(pipe(ends), ==, 0);
  EXPECT(write(ends[1], page, 100), ==, 100);
  char *base = page_break();
  grow(4 * PGSIZE);
  mark_pages(base, 4, 5);
  shrink(4 * PGSIZE);
  for (int i = 0; i < 4; i++) expect_gone(file, ends, base + i * PGSIZE + i, 100);
  EXPECT(size_of(file), ==, 6000);
  close(file);
  file_check("data", 6000, 5);
}

// --- Wild and negative values ---

void test_pgbug(void) {
  static const uint64 wild[] = {0xdeadbeefcafe1234UL, 0x7ff0000000000001UL, 1UL << 39, 1UL << 62};
  char *argv[] = {"echo", 0};
  for (int i = 0; i < COUNT_OF(wild); i++) {
    EXPECT_AT(wild[i], exec((char *)wild[i], argv), ==, -1);
    EXPECT_AT(wild[i], exec("/echo", (char **)wild[i]), ==, -1);
    EXPECT_AT(wild[i], pipe((int *)wild[i]), ==, -1);
  }
}

// The runner's account finds the frames that a failed call keeps.
void test_badarg(void) {
  for (int i = 0; i < 400; i++) {
    const uint64 bad = bad_addresses[i % bad_address_count];
    char *argv[4] = {"one", "two", (char *)bad, 0};
    EXPECT_AT(bad, exec("/echo", argv), ==, -1);
  }
}

// A negative count moves nothing, whatever the descriptor.
void test_argptest(void) {
  int ends[2];
  file_make("data", 100, 6);
  int file = must_open("data", O_RDWR);
  EXPECT(pipe(ends), ==, 0);
  memset(page, 7, sizeof(page));
  char *const places[] = {page, sbrk(0) - 1, (char *)bad_addresses[0]};
  for (int i = 0; i < COUNT_OF(places); i++) {
    EXPECT_AT(i, read(file, places[i], -1), <=, 0);
    EXPECT_AT(i, write(file, places[i], -1), <=, 0);
    EXPECT_AT(i, write(ends[1], places[i], -0x7fffffff), <=, 0);
  }
  for (int i = 0; i < COUNT_OF(page); i++) EXPECT_AT(i, page[i], ==, 7);
  close(ends[1]);
  EXPECT(read(ends[0], page, 1), ==, 0);
  close(file);
  file_check("data", 100, 6);
}

// Fresh heap handed straight to system calls, never touched by the program.
void test_sbrkarg(void) {
  char *fresh = page_break();
  grow(2 * PGSIZE);
  int fd = must_open("zeros", O_CREATE | O_RDWR);
  EXPECT(write(fd, fresh, PGSIZE), ==, PGSIZE);
  close(fd);
  fd = must_open("zeros", O_RDONLY);
  memset(page, 1, PGSIZE);
  EXPECT(read(fd, page, PGSIZE), ==, PGSIZE);
  EXPECT(nonzero(page, PGSIZE), ==, -1);

  int *ends = (int *)(fresh + PGSIZE + 16);
  EXPECT(pipe(ends), ==, 0);
  EXPECT(write(ends[1], "y", 1), ==, 1);
  EXPECT(read(ends[0], page, 1), ==, 1);
  EXPECT(page[0], ==, 'y');
}

// Every page from 0 to beyond the break: one byte out of it and back into it.
// What a program can read, write() takes; the guard and what lies past the break
// it refuses; nothing kills the caller.  (Pitfalls 11, 24.)
void test_validatetest(void) {
  int ends[2];
  char byte;
  EXPECT(pipe(ends), ==, 0);
  uint64 stack = stack_page(), guard = stack - GUARDPAGES * PGSIZE;
  uint64 end = PGROUNDUP((uint64)sbrk(0));
  for (uint64 va = 0; va < end + 40 * PGSIZE; va += PGSIZE) {
    int mapped = (va < guard || va >= stack) && va < end;
    EXPECT_AT(va, link("nosuchfile", (char *)va), ==, -1);
    EXPECT_AT(va, write(ends[1], (char *)va, 1), ==, mapped ? 1 : -1);
    if (!mapped) continue;
    if (read(ends[0], (char *)va, 1) == 1) continue;  // code pages refuse
    EXPECT_AT(va, va, <, guard);
    EXPECT_AT(va, read(ends[0], &byte, 1), ==, 1);
  }
}
