// Directories: names that come and go, links, paths, and removed directories
// that somebody still stands in.
#include "user/usertests/ut.h"

static char name[MAXPATH], other[MAXPATH];

// --- Names that come and go ---

// Four processes each make twenty files and remove every other one at once.
void test_createdelete(void) {
  static char prefixes[4][2] = {"p", "q", "r", "s"};
  for (int w = 0; w < 4; w++) {
    if (must_fork() != 0) continue;
    for (int i = 0; i < 20; i++) {
      close(must_open(name_of(name, prefixes[w], i), O_CREATE | O_RDWR));
      if (i > 0 && i % 2 == 0) EXPECT_AT(i, unlink(name_of(name, prefixes[w], i / 2)), ==, 0);
    }
    exit(0);
  }
  join_all(4);
  for (int w = 0; w < 4; w++)
    for (int i = 0; i < 20; i++) {
      int gone = i >= 1 && i <= 9;
      EXPECT_AT(i, exists(name_of(name, prefixes[w], i)), ==, !gone);
      EXPECT_AT(i, unlink(name), ==, gone ? -1 : 0);
    }
}

void test_createtest(void) {
  for (int round = 0; round < 2; round++) {
    for (int i = 0; i < 52; i++) close(must_open(name_of(name, "c", i), O_CREATE | O_RDWR));
    for (int i = 0; i < 52; i++) EXPECT_AT(i, unlink(name_of(name, "c", i)), ==, 0);
    EXPECT(exists("c00"), ==, 0);
  }
}

// One name, which parent and child create, link and unlink as chance has it.
void test_linkunlink(void) {
  file_make("target", 5, 1);
  int pid = must_fork();
  if (pid == 0) random_start(next_random() + 1);
  for (int i = 0; i < 100; i++) switch (next_random() % 3) {
      case 0: close(open("x", O_CREATE | O_RDWR)); break;
      case 1: link("target", "x"); break;
      case 2: unlink("x");
    }
  if (pid == 0) exit(0);
  join_all(1);
  file_check("target", 5, 1);
}

// Two processes make each name, as a file or a link; the directory lists it once.
// Four open and remove it; then it is gone.
void test_concreate(void) {
  static uchar seen[40];
  struct dirent entry;
  for (int i = 0; i < COUNT_OF(seen); i++) {
    name_of(name, "C", i);
    int pid = must_fork();
    if (pid == 0 && i % 3 == 1)
      link("C00", name);  // unless the parent was first
    else
      close(must_open(name, O_CREATE | O_RDWR));
    if (pid == 0) exit(0);
    join_all(1);
  }
  memset(seen, 0, sizeof(seen));
  int fd = must_open(".", O_RDONLY), count = 0;
  while (read(fd, &entry, sizeof(entry)) == sizeof(entry)) {
    if (entry.inum == 0 || entry.name[0] != 'C') continue;
    int i = atoi(entry.name + 1);
    EXPECT_AT(i, i >= 0 && i < COUNT_OF(seen), ==, 1);
    EXPECT_AT(i, seen[i]++, ==, 0);
    count++;
  }
  close(fd);
  EXPECT(count, ==, COUNT_OF(seen));
  for (int i = 0; i < COUNT_OF(seen); i++) {
    name_of(name, "C", i);
    for (int w = 0; w < 3; w++) {
      if (must_fork() != 0) continue;
      if ((i + w) % 2) close(open(name, O_RDONLY));
      else unlink(name);
      exit(0);
    }
    join_all(3);
    unlink(name);
    EXPECT_AT(i, exists(name), ==, 0);
  }
}

// Eight processes extend one directory together: no name lost, none twice, and
// each names a file of its own.  (Pitfall 45.)
void test_dirgrow(void) {
  enum { WORKERS = 8, EACH = 15 };
  static uchar seen[WORKERS * EACH];
  struct start line;
  struct dirent entry;
  EXPECT(mkdir("grow"), ==, 0);
  start_make(&line);
  for (int w = 0; w < WORKERS; w++) {
    if (must_fork() != 0) continue;
    start_wait(&line);
    for (int i = 0; i < EACH; i++) file_make(name_of(name, "grow/", EACH * w + i), 8, EACH * w + i);
    exit(0);
  }
  start_now(&line);
  join_all(WORKERS);
  for (int i = 0; i < COUNT_OF(seen); i++) file_check(name_of(name, "grow/", i), 8, i);
  int fd = must_open("grow", O_RDONLY), count = 0;
  while (read(fd, &entry, sizeof(entry)) == sizeof(entry)) {
    if (entry.inum == 0 || entry.name[0] == '.') continue;
    EXPECT_AT(atoi(entry.name), seen[atoi(entry.name)]++, ==, 0);
    count++;
  }
  EXPECT(count, ==, COUNT_OF(seen));
  close(fd);
}

// A directory of many blocks, filled with links and emptied again.
void test_bigdir(void) {
  file_make("file", 1, 2);
  for (int i = 0; i < 500; i++) EXPECT_AT(i, link("file", name_of(name, "link", i)), ==, 0);
  struct stat st;
  EXPECT(stat("file", &st), ==, 0);
  EXPECT(st.nlink, ==, 501);
  EXPECT(unlink("file"), ==, 0);
  for (int i = 0; i < 500; i++) EXPECT_AT(i, unlink(name_of(name, "link", i)), ==, 0);
  EXPECT(exists("link499"), ==, 0);
}

// --- Links ---

void test_linktest(void) {
  file_make("one", 7, 3);
  EXPECT(link("one", "two"), ==, 0);
  struct stat a, b;
  EXPECT(stat("one", &a), ==, 0);
  EXPECT(stat("two", &b), ==, 0);
  EXPECT(a.ino, ==, b.ino);
  EXPECT(a.nlink, ==, 2);
  EXPECT(link("two", "two"), ==, -1);
  EXPECT(link("one", "two"), ==, -1);
  EXPECT(unlink("one"), ==, 0);
  EXPECT(exists("one"), ==, 0);
  file_check("two", 7, 3);
  EXPECT(link("one", "three"), ==, -1);
  EXPECT(link(".", "three"), ==, -1);
  EXPECT(link("two", "no/such"), ==, -1);
  EXPECT(unlink("two"), ==, 0);
  EXPECT(exists("two"), ==, 0);
}

// An open file outlives its last name, and is no longer the file of that name.
void test_unlinkread(void) {
  file_make("file", 5, 4);
  int fd = must_open("file", O_RDWR);
  EXPECT(unlink("file"), ==, 0);
  file_make("file", 3, 5);
  EXPECT(size_of(fd), ==, 5);
  EXPECT(read(fd, name, sizeof(name)), ==, 5);
  EXPECT((uchar)name[4], ==, file_byte(4, 4));
  EXPECT(write(fd, name, 10), ==, 10);
  close(fd);
  file_check("file", 3, 5);
}

// Processes that open, link, write and remove the same few names: references to
// an inode come and go on every hart.  (Pitfall 57.)
void test_iref_race(void) {
  for (int w = 0; w < 5; w++) {
    if (must_fork() != 0) continue;
    random_start(w);
    for (int i = 0; i < 40; i++) {
      name_of(name, "n", next_random() % 3);
      name_of(other, "n", next_random() % 3);
      int fd = open(name, O_CREATE | O_RDWR);
      if (fd >= 0) {
        link(name, other);
        EXPECT(write(fd, name, 3), ==, 3);
        unlink(name);
        EXPECT(size_of(fd), >=, 3);
        close(fd);
      }
    }
    exit(0);
  }
  join_all(5);
}

// --- Paths ---

void test_subdir(void) {
  EXPECT(mkdir("dd"), ==, 0);
  EXPECT(mkdir("dd/dd"), ==, 0);
  file_make("dd/ff", 2, 6);
  file_make("/ut.tmp/dd/dd/ff", 3, 7);
  file_check("dd/dd/../ff", 2, 6);
  file_check("./dd//dd/./ff", 3, 7);
  EXPECT(link("dd/dd/ff", "dd/dd/ffff"), ==, 0);
  EXPECT(unlink("dd/dd/ff"), ==, 0);
  EXPECT(chdir("dd"), ==, 0);
  EXPECT(chdir("dd/../../dd"), ==, 0);
  EXPECT(chdir("dd/./.."), ==, 0);
  file_check("dd/ffff", 3, 7);
  EXPECT(chdir("./.."), ==, 0);

  static char *const refused[] = {"dd/ff/ff", "dd/xx/ff", "xx/..", "dd/ff/.."};
  EXPECT(open("dd/dd/nope", O_RDONLY), ==, -1);
  for (int i = 0; i < COUNT_OF(refused); i++) {
    EXPECT_AT(i, open(refused[i], O_RDONLY), ==, -1);
    EXPECT_AT(i, open(refused[i], O_CREATE | O_RDWR), ==, -1);
    EXPECT_AT(i, mkdir(refused[i]), ==, -1);
    EXPECT_AT(i, unlink(refused[i]), ==, -1);
    EXPECT_AT(i, link("dd/ff", refused[i]), ==, -1);
    EXPECT_AT(i, chdir(refused[i]), ==, -1);
  }
  EXPECT(chdir("dd/ff"), ==, -1);
  EXPECT(mkdir("dd/dd"), ==, -1);
  EXPECT(mkdir("dd/ff"), ==, -1);
  EXPECT(open("dd", O_CREATE), ==, -1);
  EXPECT(unlink("dd"), ==, -1);
  EXPECT(unlink("dd/dd"), ==, -1);
  EXPECT(unlink("dd/dd/ffff"), ==, 0);
  EXPECT(unlink("dd/ff"), ==, 0);
  EXPECT(unlink("dd/dd"), ==, 0);
  EXPECT(unlink("dd"), ==, 0);
  EXPECT(unlink("dd"), ==, -1);
}

// Names as long as DIRSIZ, and longer: all but the first DIRSIZ are ignored.
void test_fourteen(void) {
  EXPECT(mkdir("abcdefghijklmn"), ==, 0);
  EXPECT(mkdir("abcdefghijklmn/nmlkjihgfedcbaXX"), ==, 0);
  file_make("abcdefghijklmn/nmlkjihgfedcbaYY/abcdefghijklmnop", 4, 8);
  file_check("abcdefghijklmnZ/nmlkjihgfedcba/abcdefghijklmn", 4, 8);
  EXPECT(mkdir("abcdefghijklmn/nmlkjihgfedcba"), ==, -1);
  EXPECT(mkdir("abcdefghijklmnop/nmlkjihgfedcbaZ"), ==, -1);
  EXPECT(exists("abcdefghijklm"), ==, 0);
}

void test_rmdot(void) {
  EXPECT(mkdir("dots"), ==, 0);
  static char *const kept[] = {"dots/.", "dots/..", "/", ".", "..", "dots/../dots/."};
  for (int i = 0; i < COUNT_OF(kept); i++) EXPECT_AT(i, unlink(kept[i]), ==, -1);
  EXPECT(chdir("dots"), ==, 0);
  EXPECT(unlink("."), ==, -1);
  EXPECT(unlink(".."), ==, -1);
  EXPECT(chdir(".."), ==, 0);
  EXPECT(unlink("dots"), ==, 0);
}

// A file is no directory, whatever path goes through it.
void test_dirfile(void) {
  file_make("plain", 6, 9);
  static char *const through[] = {"plain/xx", "plain/.", "plain/.."};
  for (int i = 0; i < COUNT_OF(through); i++) {
    EXPECT_AT(i, chdir(through[i]), ==, -1);
    EXPECT_AT(i, open(through[i], O_RDONLY), ==, -1);
    EXPECT_AT(i, open(through[i], O_CREATE), ==, -1);
    EXPECT_AT(i, mkdir(through[i]), ==, -1);
    EXPECT_AT(i, unlink(through[i]), ==, -1);
    EXPECT_AT(i, link("/echo", through[i]), ==, -1);
  }
  EXPECT(chdir("plain"), ==, -1);
  file_check("plain", 6, 9);
}

static void expect_listed(const char *directory, const char *wanted) {
  struct dirent entry;
  int fd = must_open(directory, O_RDONLY), found = 0;
  while (read(fd, &entry, sizeof(entry)) == sizeof(entry))
    if (entry.inum && memcmp(entry.name, wanted, strlen(wanted) + 1) == 0) found++;
  CHECK(found == 1, "%s is listed %d times", wanted, found);
  close(fd);
}

// Names of any byte but '/', and the sizes of listings.
void test_names(void) {
  static char *const names[] = {"a", "...", " ", "-", "\x01\x02", "\xff\xfe", "tab\there"};
  for (int i = 0; i < COUNT_OF(names); i++) {
    file_make(names[i], i, i);
    file_check(names[i], i, i);
    expect_listed(".", names[i]);
    EXPECT_AT(i, unlink(names[i]), ==, 0);
    EXPECT_AT(i, exists(names[i]), ==, 0);
  }
  EXPECT(mkdir("/"), ==, -1);
  EXPECT(mkdir(""), ==, -1);
  EXPECT(mkdir("."), ==, -1);
  EXPECT(open("/", O_CREATE | O_RDWR), ==, -1);
}

// --- Directories removed under somebody ---

// Leaves a removed directory in every way that a reference to it can end.
static void leave_removed(int how) {
  EXPECT(mkdir("gone"), ==, 0);
  EXPECT(chdir("gone"), ==, 0);
  EXPECT(unlink("../gone"), ==, 0);
  if (how == 0) EXPECT(chdir("/"), ==, 0);
  if (how == 1) exit(0);
  if (how == 2) close(open(".", O_RDONLY));
  if (how == 2) exit(0);
}

void test_iput(void) {
  leave_removed(0);
  EXPECT(chdir(SCRATCH), ==, 0);
  EXPECT(exists("gone"), ==, 0);
}

void test_exitiput(void) {
  for (int how = 1; how < 3; how++) {
    if (must_fork() == 0) leave_removed(how);
    join_all(1);
    EXPECT(exists("gone"), ==, 0);
  }
}

// One process opens a directory for writing, which must fail, while another
// removes it.
void test_openiput(void) {
  for (int round = 0; round < 20; round++) {
    EXPECT(mkdir("dir"), ==, 0);
    if (must_fork() == 0) {
      int fd = open("dir", O_RDWR);
      exit(fd != -1);
    }
    if (round % 2) sleep(0);
    EXPECT(unlink("dir"), ==, 0);
    join_all(1);
  }
}

// Deep nesting by chdir, each directory used in ways that must let go of it.
void test_iref(void) {
  for (int i = 0; i < 55; i++) {
    EXPECT_AT(i, mkdir("deep"), ==, 0);
    EXPECT_AT(i, chdir("deep"), ==, 0);
    EXPECT_AT(i, mkdir(""), ==, -1);
    EXPECT_AT(i, link("/echo", ""), ==, -1);
    EXPECT_AT(i, open("", O_CREATE), ==, -1);
    EXPECT_AT(i, open("./", O_RDWR), ==, -1);
    int fd = open("xx", O_CREATE);
    EXPECT_AT(i, fd, >=, 0);
    close(fd);
    EXPECT_AT(i, unlink("xx"), ==, 0);
  }
}

// A removed directory takes no new names, by whatever path, and finds nothing;
// its ".." is no way to a crash.  (Pitfall 44.)
static void expect_barren(void) {
  EXPECT(open("file", O_CREATE | O_RDWR), ==, -1);
  EXPECT(mkdir("dir"), ==, -1);
  EXPECT(mknod("node", 9, 0), ==, -1);
  EXPECT(link("/echo", "link"), ==, -1);
  EXPECT(exists("file"), ==, 0);
  exists("..");
  exists("../README.md");
  exists(".");
}

void test_unlinkcwd(void) {
  EXPECT(mkdir("outer"), ==, 0);
  EXPECT(mkdir("outer/inner"), ==, 0);
  EXPECT(chdir("outer/inner"), ==, 0);
  EXPECT(unlink("../inner"), ==, 0);
  EXPECT(unlink("/ut.tmp/outer"), ==, 0);
  expect_barren();
  chdir("..");
  expect_barren();
  EXPECT(chdir("/"), ==, 0);
  EXPECT(chdir(SCRATCH), ==, 0);
  EXPECT(exists("outer"), ==, 0);
}

// The directory goes while another process creates in it.
void test_removed_cwd(void) {
  for (int round = 0; round < 15; round++) {
    EXPECT(mkdir("shared"), ==, 0);
    if (must_fork() == 0) {
      if (chdir("shared") < 0) exit(0);  // it is gone already
      for (int i = 0; i < 20; i++) {
        close(open("file", O_CREATE | O_RDWR));
        unlink("file");
      }
      exit(0);
    }
    int removed = 0;
    for (int i = 0; i < 30 && !removed; i++) removed = unlink("shared") == 0;
    join_all(1);
    if (!removed) EXPECT(unlink("shared"), ==, 0);
    EXPECT(exists("shared"), ==, 0);
  }
}
