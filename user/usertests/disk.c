// The end of every table: blocks, inodes, open files, descriptors; devices; and
// many writers at once.
#include "user/usertests/ut.h"

static char block[BSIZE];
static char name[16];

// Writers of whole files side by side, each file checked, removed and made anew:
// transactions of every size share the log.  (Pitfall 58.)
void test_manywrites(void) {
  for (int w = 0; w < 6; w++) {
    if (must_fork() != 0) continue;
    name_of(name, "many", w);
    for (int i = 0; i < 10; i++) {
      uint64 bytes = (1 + (i * 7 + w) % 24) * BSIZE - w;
      file_make(name, bytes, 10 * w + i);
      file_check(name, bytes, 10 * w + i);
      EXPECT(unlink(name), ==, 0);
    }
    exit(0);
  }
  join_all(6);
}

// --- Space ---

// How many blocks of data the disk still takes: files are filled until a write
// fails, then removed.  They hold what was written up to then.
static uint64 count_space(void) {
  uint64 blocks = 0;
  int files = 0, fd, full = 0;
  for (; !full && (fd = open(name_of(name, "fill", files), O_CREATE | O_RDWR)) >= 0; files++) {
    uint64 n = 0;
    for (; n < MAXFILE; n++, blocks++) {
      block[0] = block[BSIZE - 1] = n;
      if ((full = write(fd, block, BSIZE) != BSIZE)) break;
    }
    EXPECT_AT(files, size_of(fd) >= n * BSIZE, ==, 1);
    close(fd);
  }
  for (int i = 0; i < files; i++) {
    fd = must_open(name_of(name, "fill", i), O_RDONLY);
    for (char n = 0; read(fd, block, BSIZE) == BSIZE; n++) {
      EXPECT_AT(i, block[0], ==, n);
      EXPECT_AT(i, block[BSIZE - 1], ==, n);
    }
    close(fd);
    EXPECT_AT(i, unlink(name_of(name, "fill", i)), ==, 0);
  }
  return blocks;
}

// A full disk refuses, keeps every file as it is, and takes as much again once
// the files are gone.
void test_diskfull(void) {
  file_make("kept", 3 * BSIZE, 1);
  uint64 space = count_space();
  EXPECT(space, >, 100);
  EXPECT(count_space(), ==, space);

  int made = 0, fd = must_open("filler", O_CREATE | O_RDWR);
  for (int files = 0; files < 1000; files++) {  // fill it, one file after the other
    while (write(fd, block, BSIZE) == BSIZE) {
    }
    close(fd);
    if ((fd = open(name_of(name, "filler", files), O_CREATE | O_RDWR)) < 0) break;
    if (write(fd, block, BSIZE) != BSIZE) break;
  }
  close(fd);
  for (int i = 0; i < 40; i++)  // a directory needs a block, too
    if (mkdir(name_of(name, "d", i)) == 0) made++;
  EXPECT(made, <, 40);
  file_check("kept", 3 * BSIZE, 1);
  EXPECT(unlink("filler"), ==, 0);
  file_make("again", 5 * BSIZE, 2);
  file_check("again", 5 * BSIZE, 2);
}

// Failed writes of several blocks cost no space.
void test_badwrite_space(void) {
  uint64 space = count_space();
  file_make("file", 5 * BSIZE, 3);
  for (int i = 0; i < 200; i++) {
    int fd = must_open("file", O_RDWR);
    EXPECT_AT(i, write(fd, (char *)bad_addresses[i % bad_address_count], 4 * BSIZE), ==, -1);
    close(fd);
    fd = must_open("new", O_CREATE | O_TRUNC | O_RDWR);
    EXPECT_AT(i, write(fd, (char *)bad_addresses[i % bad_address_count], 6 * BSIZE), ==, -1);
    close(fd);
    if (i % 2) EXPECT(unlink("new"), ==, 0);
  }
  file_check("file", 5 * BSIZE, 3);
  EXPECT(unlink("file"), ==, 0);
  EXPECT(count_space(), ==, space);
}

// Files until there is no inode: create, mkdir and mknod refuse, those made are
// there, and as many can be made again.
void test_outofinodes(void) {
  int first = 0;
  for (int round = 0; round < 2; round++) {
    int made = 0, fd;
    while ((fd = open(name_of(name, "node", made), O_CREATE | O_RDWR)) >= 0) {
      close(fd);
      made++;
    }
    EXPECT(made, >, 20);
    EXPECT(mkdir("dir"), ==, -1);
    EXPECT(mknod("device", 9, 9), ==, -1);
    EXPECT(open("more", O_CREATE | O_RDWR), ==, -1);
    EXPECT(exists("more"), ==, 0);
    for (int i = 0; i < made; i++) EXPECT_AT(i, unlink(name_of(name, "node", i)), ==, 0);
    if (round == 0) first = made;
    EXPECT(made, ==, first);
  }
}

// --- Tables in memory ---

// Many processes, each with as many open files as it gets: some table ends, open
// says -1, nothing else happens, and all of it is free again.  (Pitfall 51.)
void test_tables_full(void) {
  int counts[2], total = 0, got;
  struct start line;
  EXPECT(pipe(counts), ==, 0);
  start_make(&line);
  for (int w = 0; w < 60; w++) {
    if (must_fork() != 0) continue;
    close(line.end[1]);
    close(counts[0]);
    for (got = 0; got < NOFILE + 1; got++) {
      int fd = got == 0 ? open(name_of(name, "t", w), O_CREATE | O_RDWR)
                        : open(got % 2 ? "/" : "/echo", O_RDONLY);
      if (fd < 0) break;
    }
    EXPECT(write(counts[1], &got, sizeof(got)), ==, sizeof(got));
    read(line.end[0], block, 1);  // keeps them until all have some
    exit(0);
  }
  for (int w = 0; w < 60; w++) {
    EXPECT(read(counts[0], &got, sizeof(got)), ==, sizeof(got));
    EXPECT(got, <=, NOFILE - 3);
    total += got;
  }
  EXPECT(total, >=, 80);
  start_now(&line);
  join_all(60);
  EXPECT(exists("/echo"), ==, 1);
}

// --- Devices ---

// A major number that nobody serves cannot be opened or does nothing; the
// console is a device under any name.
void test_devices(void) {
  static const short majors[] = {0, NDEV - 1, NDEV, 500, -1, 0x7fff};
  struct stat st;
  for (int i = 0; i < COUNT_OF(majors); i++) {
    if (mknod("dev", majors[i], 0) < 0) continue;
    int fd = open("dev", O_RDWR);
    if (fd >= 0) {
      EXPECT_AT(majors[i], read(fd, block, 1), ==, -1);
      EXPECT_AT(majors[i], write(fd, block, 1), ==, -1);
      close(fd);
    }
    EXPECT_AT(majors[i], unlink("dev"), ==, 0);
  }
  EXPECT(mknod("tty", 1, 0), ==, 0);
  EXPECT(mknod("tty", 1, 0), ==, -1);
  int fd = must_open("tty", O_RDWR);
  EXPECT(fstat(fd, &st), ==, 0);
  EXPECT(st.type, ==, T_DEVICE);
  EXPECT(write(fd, "", 0), ==, 0);
  EXPECT(write(fd, (char *)bad_addresses[0], 5), ==, -1);
  EXPECT(link("tty", "tty2"), ==, 0);
  EXPECT(unlink("tty"), ==, 0);
  EXPECT(unlink("tty2"), ==, 0);
}

static void read_reports(void) {
  enum { OPENS = 4 };
  static const char begin[] = "frames ";
  static char text[2000];
  int fd[OPENS];
  for (int i = 0; i < OPENS; i++) fd[i] = must_open("/statistics", O_RDONLY);
  for (uint64 at = 0; at < sizeof(begin) - 1; at++)
    for (int i = 0; i < OPENS; i++) {
      EXPECT_AT(i, read(fd[i], text, 1), ==, 1);
      EXPECT_AT(i, text[0], ==, begin[at]);
    }
  if (must_fork() == 0) {
    EXPECT(read(fd[0], text, sizeof(text)), >, 50);
    exit(0);
  }
  join_all(1);
  EXPECT(read(fd[0], text, sizeof(text)), ==, 0);
  EXPECT(read(fd[0], text, sizeof(text)), ==, 0);
  for (int i = 1; i < OPENS; i++) EXPECT_AT(i, read(fd[i], text, sizeof(text)), >, 50);
  for (int i = 0; i < OPENS; i++) close(fd[i]);
}

// Each open has a report of its own, from its first byte to its end, and gives it back; a
// process that shares the open file shares it.
void test_statistics(void) {
  read_reports();  // the kernel has its tables from now on
  uint64 before = free_frames();
  for (int i = 0; i < 20; i++) read_reports();
  CHECK_FREE(before);
}
