// fsstorm: files that are written, cut, linked, unlinked, listed and read back, and
// directories that come and go.
#include "stress/stress/stress.h"

#include "kernel/fs.h"

#define FILES      3
#define DIRECTORY  8  // the number of its name

// What is known of the file behind each name.
static struct {
  int there;
  uint64 owner;
  uint64 size;
} files[FILES];
static char path[FILES][NAME_MOST];

static void begin_files(void) {
  for (int i = 0; i < FILES; i++) {
    own_name(path[i], "fs", i);
    unlink(path[i]);  // of a worker killed before
  }
}

// Writes until enough is there or the disk is full: a failed write may have left
// a part of its bytes.
static void write_file(int i) {
  int fd = open(path[i], O_CREATE | O_TRUNC | O_RDWR);
  if (fd < 0) return;
  files[i].there = 1;
  files[i].owner = new_owner();
  files[i].size = 0;
  uint64 want = below(below(8) ? 9 * BSIZE : 40 * BSIZE), n;
  while (files[i].size < want) {
    char *at = fresh_buffer(&n);
    if (n > want - files[i].size) n = want - files[i].size;
    for (uint64 k = 0; k < n; k++) at[k] = byte_of(files[i].owner, files[i].size + k);
    int wrote = write(fd, at, n);
    drop_buffer();
    if (wrote != (int)n) break;
    files[i].size += n;
  }
  struct stat st;
  if (fstat(fd, &st) < 0) {
    CHECK(memory_is_short(), "no status of %s", path[i]);
    st.size = files[i].size;
  }
  CHECK(st.size >= files[i].size && st.size <= want, "%s has %ld bytes, %ld were written", path[i],
        st.size, files[i].size);
  files[i].size = st.size;
  close(fd);
}

static void check_file(int i) {
  int fd = open(path[i], O_RDONLY), got;
  if (fd < 0) {
    CHECK(!files[i].there || files_are_short() || memory_is_short(), "%s is gone", path[i]);
    return;
  }
  CHECK(files[i].there, "%s is there", path[i]);
  uint64 done = 0, n;
  do {
    char *at = fresh_buffer(&n);
    got = read(fd, at, n);
    CHECK(got >= 0 || memory_is_short(), "%s gave %d", path[i], got);
    if (got > 0) check_bytes(at, files[i].owner, done, got);
    drop_buffer();
    done += got > 0 ? got : 0;
  } while (got > 0);
  CHECK(got < 0 || done == files[i].size, "%s has %ld bytes, not %ld", path[i], done,
        files[i].size);
  close(fd);
}

static void remove_file(int i) {
  if (files[i].there && unlink(path[i]) == 0) files[i].there = 0;
}

// Name j becomes another name of file i, and the first one may go: what was
// written is there still.
static void link_files(int i, int j) {
  if (!files[i].there || i == j) return;
  remove_file(j);
  if (!files[j].there && link(path[i], path[j]) == 0) files[j] = files[i];
  if (below(2)) remove_file(i);
  check_file(j);
  remove_file(j);
  CHECK(!files[j].there || memory_is_short(), "%s does not go", path[j]);
  if (files[j].there) exit(0);  // what is behind both names cannot be told any more
}

// A file that loses its name while it is open can be read to its end.
static void read_nameless(int i) {
  static char byte;
  int fd = open(path[i], O_RDONLY);
  if (fd < 0) return;
  remove_file(i);
  uint64 done = 0;
  for (; read(fd, &byte, 1) == 1 && done < 40; done++) check_bytes(&byte, files[i].owner, done, 1);
  CHECK(done == (files[i].size < 40 ? files[i].size : 40) || memory_is_short(),
        "an open file ends after %ld bytes", done);
  close(fd);
}

// A directory with one file in it, which cannot go before that does.
static void come_and_go(void) {
  char name[NAME_MOST], inner[NAME_MOST + 2];
  struct stat st;
  own_name(name, "fs", DIRECTORY);
  strcpy(inner, name);
  strcpy(inner + strlen(inner), "/x");
  unlink(inner);  // of a worker killed before
  unlink(name);
  if (mkdir(name) < 0) return;
  int fd = open(inner, O_CREATE | O_RDWR);
  if (fd >= 0) {
    CHECK(unlink(name) < 0, "%s goes with a file in it", name);
    CHECK(fstat(fd, &st) == 0 && st.type == T_FILE && st.size == 0, "%s is not new", inner);
    close(fd);
    CHECK(unlink(inner) == 0 || memory_is_short(), "%s does not go", inner);
  }
  CHECK(unlink(name) == 0 || memory_is_short(), "%s does not go", name);
}

void fsstorm_operation(void) {
  if (!path[0][0]) begin_files();
  int i = below(FILES);
  switch (below(10)) {
    case 0:
    case 1:
    case 2: write_file(i); break;
    case 3: remove_file(i); break;
    case 4: link_files(i, below(FILES)); break;
    case 5: come_and_go(); break;
    case 6: read_nameless(i); break;
    default: check_file(i);
  }
}
