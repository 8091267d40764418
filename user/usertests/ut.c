// What the tests share: see ut.h.  Nothing here knows a test by name.
#include "user/usertests/ut.h"

// --- Assertions ---

void ut_wrong(const char *file, int line, const char *what, long seen, long want,
              const char *at_name, uint64 at) {
  if (at_name)
    test_failed(file, line, what, "seen %ld (0x%lx) against %ld (0x%lx), at %s = 0x%lx", seen,
                seen, want, want, at_name, at);
  test_failed(file, line, what, "seen %ld (0x%lx) against %ld (0x%lx)", seen, seen, want, want);
}

// --- Processes ---

int wait_status(void) {
  int status = 0x5eed;
  EXPECT(wait(&status), >, 0);
  return status;
}

void join_all(int n) {
  for (int i = 0; i < n; i++) EXPECT_AT(i, wait_status(), ==, 0);
}

void start_make(struct start *line) { EXPECT(pipe(line->end), ==, 0); }

// The read ends in EOF when the last copy of the write end is closed: the
// parent's, and that of every child still on its way here.
void start_wait(struct start *line) {
  char nothing;
  close(line->end[1]);
  EXPECT(read(line->end[0], &nothing, 1), ==, 0);
  close(line->end[0]);
}

void start_now(struct start *line) {
  own_pages((void *)stack_page(), PGSIZE);
  close(line->end[0]);
  close(line->end[1]);
}

// A byte goes through: whatever a pipe needs is allocated then.
void pipe_primed(int *ends) {
  char byte = 0;
  EXPECT(pipe(ends), ==, 0);
  EXPECT(write(ends[1], &byte, 1), ==, 1);
  EXPECT(read(ends[0], &byte, 1), ==, 1);
}

int hungry_status(void (*body)(void *arg), void *arg) {
  struct start line;
  start_make(&line);
  if (must_fork() == 0) {
    start_wait(&line);
    body(arg);
    exit(0);
  }
  start_now(&line);
  return wait_status();
}

void load_at(void *va) { (void)*(volatile char *)va; }

void store_at(void *va) { *(volatile char *)va = 1; }

void jump_to(void *va) { ((void (*)(void))va)(); }

void kill_all(const int *pids, int n) {
  for (int i = 0; i < n; i++) EXPECT_AT(pids[i], kill(pids[i]), ==, 0);
  for (int i = 0; i < n; i++) EXPECT(wait(0), >, 0);
}

// --- Numbers ---

uint64 stamp(uint64 owner, uint64 index) {
  uint64 x = owner * 0xd1342543de82ef95UL + index + 0x632be59bd9b4e019UL;
  x = (x ^ (x >> 29)) * 0xff51afd7ed558ccdUL;
  x = (x ^ (x >> 32)) * 0xc4ceb9fe1a85ec53UL;
  return x ^ (x >> 31);
}

static uint64 random_owner, random_index;

void random_start(uint64 seed) {
  random_owner = seed;
  random_index = 0;
}

uint64 next_random(void) { return stamp(random_owner, random_index++); }

// --- Memory ---

char *grow(uint64 bytes) {
  char *old = sbrk_by(bytes);
  EXPECT_AT(bytes, old, !=, SBRK_ERROR);
  return old;
}

char *grow_eager(uint64 bytes) {
  char *old = sbrkeager(bytes);
  EXPECT_AT(bytes, old, !=, SBRK_ERROR);
  return old;
}

void shrink(uint64 bytes) {
  char *old = sbrk(0);
  EXPECT_AT(bytes, sbrk_by(-(long)bytes), ==, old);
  EXPECT_AT(bytes, sbrk(0), ==, old - bytes);
}

char *page_break(void) {
  uint64 end = (uint64)sbrk(0);
  if (end % PGSIZE) grow(PGSIZE - end % PGSIZE);
  return sbrk(0);
}

void own_pages(void *at, uint64 bytes) {
  for (uint64 va = PGROUNDDOWN((uint64)at); va < (uint64)at + bytes; va += PGSIZE) {
    volatile char *byte = (volatile char *)va;
    *byte = *byte;
  }
}

void paint(void *at, uint64 bytes, uint64 owner) {
  uint64 *words = at;
  for (uint64 i = 0; i < bytes / 8; i++) words[i] = stamp(owner, i);
}

long paint_flaw(const void *at, uint64 bytes, uint64 owner) {
  const uint64 *words = at;
  for (uint64 i = 0; i < bytes / 8; i++)
    if (words[i] != stamp(owner, i)) return i * 8;
  return -1;
}

// Where page i holds its mark: any of its words, so that a page mixed up with
// another one, or copied in part, is seen.
static uint64 mark_offset(uint64 i) { return i * PGSIZE + i * 4049 % (PGSIZE / 8) * 8; }

void mark_pages(char *at, uint64 pages, uint64 owner) {
  for (uint64 i = 0; i < pages; i++) *(uint64 *)(at + mark_offset(i)) = stamp(owner, i);
}

long mark_flaw(const char *at, uint64 pages, uint64 owner) {
  for (uint64 i = 0; i < pages; i++)
    if (*(const uint64 *)(at + mark_offset(i)) != stamp(owner, i)) return i;
  return -1;
}

long nonzero(const void *at, uint64 bytes) {
  const char *p = at;
  for (uint64 i = 0; i < bytes; i++)
    if (p[i]) return i;
  return -1;
}

long frames_missing(uint64 want, int ticks) {
  while (free_frames() != want && ticks-- > 0) sleep(1);
  return want - free_frames();
}

void take_all_memory(uint64 leave) {
  uint64 pages = memstat_now().free / 2;
  if (pages > 1 << 18) pages = 1 << 18;  // sbrk takes an int of bytes
  for (; pages > 0; pages /= 2)
    while (sbrkeager(pages * PGSIZE) != SBRK_ERROR) {
    }
  if (leave) shrink(leave * PGSIZE);
}

uint64 stack_page(void) { return PGROUNDDOWN((uint64)__builtin_frame_address(0)); }

// --- Files ---

const uint64 bad_addresses[] = {
    KERNBASE,              // where RAM lies, and a naive kernel maps itself
    USERTOP,               // the first page that is never given out
    USERTOP + PGSIZE,      // the second
    MAXVA,                 // past the user half
    3 * MAXVA,             // not an Sv39 address at all
    1UL << 63,             // sign bit
    0xffffffc000000000UL,  // the lowest address of the upper half
    0xffffffff80000000UL,  // near its top
    ~0UL - 7,              // a buffer here wraps around to 0
    ~0UL,
};
const int bad_address_count = COUNT_OF(bad_addresses);

int must_open(const char *path, int flags) {
  int fd = open(path, flags);
  CHECK(fd >= 0, "open(%s, 0x%x) is to succeed, gave %d", path, flags, fd);
  return fd;
}

static uint8 chunk[BSIZE];

void file_make(const char *path, uint64 bytes, uint64 owner) {
  unlink(path);
  int fd = must_open(path, O_CREATE | O_WRONLY);
  for (uint64 done = 0; done < bytes;) {
    int n = bytes - done < BSIZE ? bytes - done : BSIZE;
    for (int i = 0; i < n; i++) chunk[i] = file_byte(owner, done + i);
    EXPECT_AT(done, write(fd, chunk, n), ==, n);
    done += n;
  }
  close(fd);
}

void file_check(const char *path, uint64 bytes, uint64 owner) {
  int fd = must_open(path, O_RDONLY);
  EXPECT(size_of(fd), ==, bytes);
  uint64 done = 0;
  for (int n; (n = read(fd, chunk, BSIZE)) != 0;) {
    EXPECT_AT(done, n, >, 0);
    for (int i = 0; i < n; i++) EXPECT_AT(done + i, chunk[i], ==, file_byte(owner, done + i));
    done += n;
  }
  EXPECT(done, ==, bytes);
  close(fd);
}

uint64 size_of(int fd) {
  struct stat st;
  EXPECT_AT(fd, fstat(fd, &st), ==, 0);
  return st.size;
}

int exists(const char *path) {
  int fd = open(path, O_RDONLY);
  if (fd >= 0) close(fd);
  return fd >= 0;
}

char *name_of(char *buffer, const char *prefix, int n) {
  int at = strlen(prefix);
  memcpy(buffer, prefix, at);
  int scale = 10;
  while (n / scale >= 10) scale *= 10;
  for (; scale > 0; scale /= 10) buffer[at++] = '0' + n / scale % 10;
  buffer[at] = 0;
  return buffer;
}

// Removes one name from the current directory.  Returns 1 if it had to enter it
// instead, because it is a directory that is not empty.
static int remove_or_enter(const char *name) {
  if (unlink(name) == 0) return 0;
  CHECK(chdir(name) == 0, "%s can be neither removed nor entered", name);
  return 1;
}

// Without recursion: a tree may be deeper than the stack.
void scratch_remove(void) {
  struct dirent entry;
  char name[DIRSIZ + 1];
  if (!exists(SCRATCH)) return;
  EXPECT(chdir(SCRATCH), ==, 0);
  for (int depth = 1; depth > 0;) {
    int entered = 0;
    int dir = must_open(".", O_RDONLY);
    while (!entered && read(dir, &entry, sizeof(entry)) == sizeof(entry)) {
      memcpy(name, entry.name, DIRSIZ);
      name[DIRSIZ] = 0;
      if (entry.inum != 0 && strcmp(name, ".") != 0 && strcmp(name, "..") != 0)
        entered = remove_or_enter(name);
    }
    close(dir);
    depth += entered ? 1 : -1;
    if (!entered) EXPECT(chdir(depth ? ".." : "/"), ==, 0);
  }
  EXPECT(unlink(SCRATCH), ==, 0);
}
