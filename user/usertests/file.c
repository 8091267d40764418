// Files: reading, writing, truncating, sharing, and buffers that end too soon.
#include "user/usertests/ut.h"

static char buffer[MAXOPBLOCKS * BSIZE];

void test_opentest(void) {
  int fd = must_open("/echo", O_RDONLY);
  EXPECT(write(fd, "x", 1), ==, -1);
  close(fd);
  EXPECT(open("missing", O_RDONLY), ==, -1);
  EXPECT(open("", O_RDONLY), ==, -1);
  fd = must_open("new", O_CREATE | O_WRONLY);
  EXPECT(read(fd, buffer, 1), ==, -1);
  close(fd);
  EXPECT(close(fd), ==, -1);
  static const int no_files[] = {-1, 3, NOFILE - 1, NOFILE, 0x7fffffff, -0x7fffffff - 1};
  for (int i = 0; i < COUNT_OF(no_files); i++) {
    EXPECT_AT(no_files[i], read(no_files[i], buffer, 1), ==, -1);
    EXPECT_AT(no_files[i], write(no_files[i], buffer, 1), ==, -1);
    EXPECT_AT(no_files[i], dup(no_files[i]), ==, -1);
    EXPECT_AT(no_files[i], close(no_files[i]), ==, -1);
  }
  EXPECT(mkdir("dir"), ==, 0);
  static const int writing[] = {O_WRONLY, O_RDWR, O_CREATE | O_RDWR, O_TRUNC | O_WRONLY};
  for (int i = 0; i < COUNT_OF(writing); i++)
    EXPECT_AT(i, open("dir", writing[i]), ==, -1);
  EXPECT(open("dir", O_RDONLY), ==, 3);  // the lowest free descriptor
}

// Small writes make one file; it reads back in any pieces; then it is gone.
void test_writetest(void) {
  int fd = must_open("small", O_CREATE | O_RDWR);
  for (int i = 0; i < 100; i++) {
    name_of(buffer, "entry ", i);
    EXPECT_AT(i, write(fd, buffer, 10), ==, 10);
  }
  EXPECT(read(fd, buffer, 1), ==, 0);
  close(fd);
  fd = must_open("small", O_RDONLY);
  EXPECT(size_of(fd), ==, 1000);
  EXPECT(read(fd, buffer, sizeof(buffer)), ==, 1000);
  for (int i = 0; i < 100; i++) EXPECT_AT(i, memcmp(buffer + 10 * i, "entry ", 6), ==, 0);
  EXPECT(strcmp(buffer + 420, "entry 42"), ==, 0);
  EXPECT(read(fd, buffer, 1), ==, 0);
  close(fd);
  EXPECT(unlink("small"), ==, 0);
  EXPECT(exists("small"), ==, 0);
}

// The largest file there may be, and not a byte more.
void test_writebig(void) {
  file_make("big", MAXFILE * BSIZE, 1);
  int fd = must_open("big", O_RDWR);
  for (int i = 0; i < (int)MAXFILE; i += MAXOPBLOCKS / 2) {
    int want = ((int)MAXFILE - i) * BSIZE;
    if (want > (int)sizeof(buffer) / 2) want = sizeof(buffer) / 2;
    EXPECT_AT(i, read(fd, buffer, sizeof(buffer) / 2), ==, want);
  }
  EXPECT(write(fd, buffer, 1), ==, -1);
  EXPECT(size_of(fd), ==, MAXFILE * BSIZE);
  close(fd);
  file_check("big", MAXFILE * BSIZE, 1);
}

// Writes of every awkward size, from one byte to more than a transaction takes.
void test_bigwrite(void) {
  static char large[13 * BSIZE + 5];
  static const int sizes[] = {1,        499,       BSIZE - 1,     BSIZE,        BSIZE + 1,
                              3 * 1471, 7 * BSIZE, 10 * BSIZE + 1, sizeof(large)};
  for (int i = 0; i < COUNT_OF(sizes); i++) {
    int fd = must_open("file", O_CREATE | O_TRUNC | O_RDWR);
    for (int k = 0; k < 2; k++) {
      memset(large, 'a' + k, sizes[i]);
      EXPECT_AT(sizes[i], write(fd, large, sizes[i]), ==, sizes[i]);
    }
    close(fd);
    fd = must_open("file", O_RDONLY);
    EXPECT(size_of(fd), ==, 2 * sizes[i]);
    for (int k = 0; k < 2; k++) {
      memset(large, 0, sizes[i]);
      EXPECT_AT(sizes[i], read(fd, large, sizes[i]), ==, sizes[i]);
      for (int at = 0; at < sizes[i]; at++) EXPECT_AT(at, large[at], ==, 'a' + k);
    }
    close(fd);
  }
}

// Written in pieces that match no block, read in others.
void test_bigfile(void) {
  static uint8 piece[613];
  uint64 total = 40 * sizeof(piece);
  int fd = must_open("file", O_CREATE | O_RDWR);
  for (uint64 at = 0; at < total; at += sizeof(piece)) {
    for (int i = 0; i < COUNT_OF(piece); i++) piece[i] = file_byte(2, at + i);
    EXPECT_AT(at, write(fd, piece, sizeof(piece)), ==, sizeof(piece));
  }
  close(fd);
  fd = must_open("file", O_RDONLY);
  uint64 at = 0;
  for (int n; (n = read(fd, piece, 307)) > 0; at += n)
    for (int i = 0; i < n; i++) EXPECT_AT(at + i, piece[i], ==, file_byte(2, at + i));
  EXPECT(at, ==, total);
  close(fd);
  file_check("file", total, 2);
}

// Several files grow at once, each from a process of its own.
void test_fourfiles(void) {
  char name[8];
  for (int i = 0; i < 4; i++) {
    if (must_fork() != 0) continue;
    name_of(name, "grow", i);
    file_make(name, 12 * 500, i);
    file_check(name, 12 * 500, i);
    exit(0);
  }
  join_all(4);
  for (int i = 0; i < 4; i++) file_check(name_of(name, "grow", i), 12 * 500, i);
}

// Two processes write through one open file: nothing overwrites anything.
void test_sharedfd(void) {
  enum { PIECE = 10, PIECES = 300 };
  int fd = must_open("shared", O_CREATE | O_RDWR), counts[2] = {0, 0};
  int pid = must_fork();
  memset(buffer, pid ? 'p' : 'c', PIECE);
  for (int i = 0; i < PIECES; i++) EXPECT_AT(i, write(fd, buffer, PIECE), ==, PIECE);
  if (pid == 0) exit(0);
  join_all(1);
  close(fd);
  fd = must_open("shared", O_RDONLY);
  while (read(fd, buffer, PIECE) == PIECE) {
    EXPECT(buffer[0] == 'p' || buffer[0] == 'c', ==, 1);
    for (int i = 1; i < PIECE; i++) EXPECT(buffer[i], ==, buffer[0]);
    counts[buffer[0] == 'c']++;
  }
  EXPECT(counts[0], ==, PIECES);
  EXPECT(counts[1], ==, PIECES);
}

// --- Truncation ---

// An open that truncates changes the file under those who have it open, not
// where they stand in it.
void test_truncate1(void) {
  file_make("file", 4, 3);
  int early = must_open("file", O_RDONLY), late = must_open("file", O_RDONLY);
  EXPECT(read(early, buffer, sizeof(buffer)), ==, 4);
  int writer = must_open("file", O_WRONLY | O_TRUNC);
  EXPECT(size_of(early), ==, 0);
  EXPECT(read(late, buffer, sizeof(buffer)), ==, 0);
  EXPECT(read(early, buffer, sizeof(buffer)), ==, 0);
  EXPECT(write(writer, "sixfor", 6), ==, 6);
  EXPECT(read(late, buffer, sizeof(buffer)), ==, 6);
  EXPECT(memcmp(buffer, "sixfor", 6), ==, 0);
  EXPECT(read(early, buffer, sizeof(buffer)), ==, 2);  // from the fifth byte on
  EXPECT(memcmp(buffer, "or", 2), ==, 0);

  file_make("blocks", 30 * BSIZE, 4);  // old bytes do not come back
  close(must_open("blocks", O_WRONLY | O_TRUNC));
  int fd = must_open("blocks", O_RDWR);
  EXPECT(size_of(fd), ==, 0);
  close(fd);
  file_make("blocks", 20 * BSIZE, 5);
  file_check("blocks", 20 * BSIZE, 5);
}

// A file has no holes: whoever stands beyond its end cannot write.
void test_truncate2(void) {
  file_make("file", 10, 5);
  int fd = must_open("file", O_RDWR);
  EXPECT(read(fd, buffer, 10), ==, 10);
  int other = must_open("file", O_RDWR | O_TRUNC);
  EXPECT(write(fd, "beyond", 6), ==, -1);
  EXPECT(size_of(fd), ==, 0);
  EXPECT(write(other, "0123456789", 10), ==, 10);
  EXPECT(write(fd, "ab", 2), ==, 2);
  EXPECT(size_of(other), ==, 12);
}

// Truncated and written by two processes at once: what is read is always a
// beginning of what is written.
void test_truncate3(void) {
  static const char text[] = "0123456789";
  close(must_open("file", O_CREATE | O_RDWR));
  if (must_fork() == 0) {
    for (int i = 0; i < 60; i++) {
      int fd = must_open("file", O_WRONLY);
      int n = write(fd, text, 10);
      EXPECT_AT(i, n, ==, 10);
      close(fd);
      fd = must_open("file", O_RDONLY);
      n = read(fd, buffer, sizeof(buffer));
      EXPECT_AT(i, n == 0 || n == 10, ==, 1);
      EXPECT_AT(i, memcmp(buffer, text, n), ==, 0);
      close(fd);
    }
    exit(0);
  }
  for (int i = 0; i < 80; i++) {
    int fd = must_open("file", O_CREATE | O_WRONLY | O_TRUNC);
    EXPECT_AT(i, write(fd, text, 10), ==, 10);
    close(fd);
  }
  join_all(1);
}

// --- Writes that fail ---

// A write from nowhere leaves the file as it was, and works the next time.
void test_badwrite(void) {
  for (int i = 0; i < 200; i++) {
    int fd = must_open("junk", O_CREATE | O_WRONLY);
    EXPECT_AT(i, write(fd, (char *)bad_addresses[i % bad_address_count], 1), ==, -1);
    EXPECT_AT(i, size_of(fd), ==, 0);
    close(fd);
    EXPECT_AT(i, unlink("junk"), ==, 0);
  }
  file_make("junk", 1, 1);
  file_check("junk", 1, 1);
}

// A buffer that ends before the write does: what reached the file, if any, is
// the buffer's beginning, in order, and stays when the file is read again; the
// file's old bytes around it stay too.  (Pitfall 31.)
void test_partial_write(void) {
  static const int lengths[] = {1, 100, BSIZE, BSIZE + 1, 5 * BSIZE, 12 * BSIZE};
  for (int i = 0; i < COUNT_OF(lengths); i++) {
    int have = lengths[i];
    char *base = page_break();
    uint64 bytes = PGROUNDUP(have);
    grow(bytes);
    char *from = base + bytes - have;
    for (int k = 0; k < have; k++) from[k] = file_byte(7, k);
    int fd = must_open("file", O_CREATE | O_TRUNC | O_RDWR);
    int n = write(fd, from, have + 3 * BSIZE);
    EXPECT_AT(have, n == -1 || (n > 0 && n <= have), ==, 1);
    uint64 size = size_of(fd);
    EXPECT_AT(have, size, <=, have);
    if (n > 0) EXPECT_AT(have, size, ==, n);
    close(fd);
    file_check("file", size, 7);
    file_make("file", 14 * BSIZE, 8);
    fd = must_open("file", O_RDWR);
    EXPECT(write(fd, base + bytes, 100), ==, -1);
    close(fd);
    file_check("file", 14 * BSIZE, 8);
    shrink(bytes);
  }
}

// Reading into code, constants and the guard, writing from the guard: refused,
// and neither memory nor the file's place has changed.  (Pitfalls 11, 53.)
void test_readonly_buffers(void) {
  static const char constant[32] = "constant";
  char *const places[] = {(char *)PGROUNDDOWN((uint64)test_readonly_buffers),
                          (char *)test_readonly_buffers, (char *)constant, 0,
                          (char *)stack_page() - PGSIZE, (char *)stack_page() - 1};
  int ends[2];
  char old[8];
  EXPECT(pipe(ends), ==, 0);
  EXPECT(write(ends[1], "pipebyte", 8), ==, 8);
  file_make("file", 100, 9);
  for (int i = 0; i < COUNT_OF(places); i++) {
    char *at = places[i];
    int fd = must_open("file", O_RDONLY);
    if (i < 4) memcpy(old, at, 8);
    EXPECT_AT(i, read(fd, at, 8), ==, -1);
    EXPECT_AT(i, read(ends[0], at, 8), ==, -1);
    EXPECT_AT(i, fstat(fd, (struct stat *)at), ==, -1);
    EXPECT_AT(i, pipe((int *)at), ==, -1);
    EXPECT_AT(i, memstat((struct memstat *)at), ==, -1);
    if (i < 4) EXPECT_AT(i, memcmp(old, at, 8), ==, 0);
    EXPECT_AT(i, read(fd, buffer, 1), ==, 1);
    EXPECT_AT(i, (uint8)buffer[0], ==, file_byte(9, 0));
    close(fd);
  }
  EXPECT(read(ends[0], buffer, 8), ==, 8);
}

// A destination that ends too soon: -1, and what was stored is right.
void test_copy_stops(void) {
  char *base = page_break();
  grow(2 * PGSIZE);
  file_make("file", 3 * PGSIZE, 10);
  for (int back = 1; back <= PGSIZE; back *= 8) {
    int fd = must_open("file", O_RDONLY);
    char *at = base + 2 * PGSIZE - back;
    int n = read(fd, at, 2 * PGSIZE);
    EXPECT_AT(back, n == -1 || (n > 0 && n <= back), ==, 1);
    for (int k = 0; k < n; k++) EXPECT_AT(k, (uint8)at[k], ==, file_byte(10, k));
    close(fd);
  }
}
