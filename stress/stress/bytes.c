// Workers on bytes that go through the kernel: pipelines and files.
#include "stress/stress/stress.h"

#define BLOCK  1024

// A buffer in pages that nobody touched before, across their border.
static char *fresh_buffer(uint64 *size) {
  *size = 1 + below(3 * PGSIZE);
  char *base = sbrk(4 * PGSIZE);
  CHECK(base != SBRK_ERROR, "no room for a buffer");
  return base + below(PGSIZE);
}

static void drop_buffer(void) { sbrk(-4 * PGSIZE); }

static uint8 byte_of(uint64 owner, uint64 i) { return (owner + i * 131 + (i >> 8) * 7) % 251; }

static void check_bytes(const char *at, uint64 owner, uint64 from, uint64 n) {
  for (uint64 i = 0; i < n; i++)
    CHECK((uint8)at[i] == byte_of(owner, from + i), "worker %d: byte %ld of %ld is %d, not %d",
          me.slot, i, n, (uint8)at[i], byte_of(owner, from + i));
}

// --- Pipelines ---

// Each end is held by one process alone, so that the rest of a pipeline ends when
// one of them is killed; a write that fails then says so by the status only.
static void produce(int to, uint64 owner, uint64 total) {
  for (uint64 done = 0; done < total;) {
    uint64 n;
    char *at = fresh_buffer(&n);
    if (n > total - done) n = total - done;
    for (uint64 i = 0; i < n; i++) at[i] = byte_of(owner, done + i);
    if (write(to, at, n) != (int)n) exit(1);
    drop_buffer();
    done += n;
  }
}

// Reads until the end.  Returns how much there was.
static uint64 consume(int from, uint64 owner, int to) {
  uint64 done = 0, n;
  int got;
  do {
    char *at = fresh_buffer(&n);
    got = read(from, at, n);
    CHECK(got >= 0, "a pipe gave %d", got);
    check_bytes(at, owner, done, got);
    if (to >= 0 && got > 0 && write(to, at, got) != got) exit(1);
    drop_buffer();
    done += got;
  } while (got > 0);
  return done;
}

// Producer, filter and consumer.  Where a process or a pipe is not to be had the
// stream is shorter by that stage, or there is none.
void pipes_operation(void) {
  int first[2], second[2], child[2] = {-1, -1};
  uint64 owner = new_owner(), total = below(9000);
  if (pipe(first) < 0) return;
  if (pipe(second) == 0) {
    if ((child[0] = descend()) == 0) {
      close(first[0]);
      close(second[0]);
      close(second[1]);
      produce(first[1], owner, total);
      exit(0);
    }
    close(first[1]);
    if (child[0] > 0 && (child[1] = descend()) == 0) {
      close(second[0]);
      consume(first[0], owner, second[1]);
      exit(0);
    }
    close(second[1]);
    if (child[0] > 0) {
      if (child[1] > 0) close(first[0]);
      uint64 seen = consume(child[1] > 0 ? second[0] : first[0], owner, -1);
      CHECK(seen == total, "worker %d: %ld of %ld bytes came through", me.slot, seen, total);
    }
    close(second[0]);
  } else {
    close(first[1]);
  }
  if (child[1] <= 0) close(first[0]);
  for (int i = 0; i < 2; i++)
    if (child[i] > 0) child_must_be_well(0);
}

// --- Files ---

// Two names; what is known of the file behind each.
static struct {
  int there;
  uint64 owner;
  uint64 size;
} files[2];
static char path[2][40];

static void begin_files(void) {
  for (int i = 0; i < 2; i++) {
    strcpy(path[i], PLACE "/worker-");
    int at = strlen(path[i]);
    path[i][at] = 'A' + me.slot / 26 % 26;
    path[i][at + 1] = 'a' + me.slot % 26;
    path[i][at + 2] = '0' + i;
    path[i][at + 3] = 0;
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
  uint64 want = below(9 * BLOCK), n;
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
  CHECK(fstat(fd, &st) == 0, "no status of %s", path[i]);
  CHECK(st.size >= files[i].size && st.size <= want, "%s has %ld bytes, %ld were written", path[i],
        st.size, files[i].size);
  files[i].size = st.size;
  close(fd);
}

static void check_file(int i) {
  int fd = open(path[i], O_RDONLY), got;
  if (fd < 0) {
    CHECK(!files[i].there || open("/", O_RDONLY) < 0, "%s is gone", path[i]);
    return;
  }
  CHECK(files[i].there, "%s is there", path[i]);
  uint64 done = 0, n;
  do {
    char *at = fresh_buffer(&n);
    got = read(fd, at, n);
    CHECK(got >= 0, "%s gave %d", path[i], got);
    check_bytes(at, files[i].owner, done, got);
    drop_buffer();
    done += got;
  } while (got > 0);
  CHECK(done == files[i].size, "%s has %ld bytes, not %ld", path[i], done, files[i].size);
  close(fd);
}

// File 1 becomes another name of file 0.
static void link_files(void) {
  if (!files[0].there) return;
  if (files[1].there && unlink(path[1]) == 0) files[1].there = 0;
  if (!files[1].there && link(path[0], path[1]) == 0) files[1] = files[0];
  check_file(1);
  if (files[1].there && unlink(path[1]) == 0) files[1].there = 0;
}

void files_operation(void) {
  if (!path[0][0]) begin_files();
  int i = below(2);
  switch (below(6)) {
    case 0:
    case 1: write_file(i); break;
    case 2:
      if (files[i].there && unlink(path[i]) == 0) files[i].there = 0;
      break;
    case 3: link_files(); break;
    default: check_file(i);
  }
}
