// copystorm: every system call that takes a pointer, with buffers and strings across
// the borders of pages that are lazy, shared, the worker's own, constant, or not
// there at all.
//
// The arena is a few pages at the end of the heap; its shadow holds what must be in
// it.  A call that cannot reach all of its buffer fails, or says how far it got,
// and leaves everything else as it was.  A child sees its pages unchanged.
#include "stress/stress/stress.h"

#include "kernel/procinfo.h"

#define ARENA_PAGES  6
#define ARENA_SIZE   (ARENA_PAGES * PGSIZE)
#define ROUNDS       20
#define BYTES_MOST   1500  // less than a pipe holds

static char *arena;
static char shadow[ARENA_SIZE];
static char bytes[BYTES_MOST];  // of calls, when they are not in the arena
static char name[3][NAME_MOST];
static uint64 file_owner;  // of the bytes in name[0]; 0: there is no such file

// --- The arena ---

// Whole pages of the arena and its shadow; what is left out stays lazy.
static void fill(int of_eight) {
  static uint64 generation;
  generation++;
  for (uint64 i = 0; i < ARENA_PAGES; i++) {
    if (below(8) >= (uint64)of_eight) continue;
    page_stamp((uint64 *)arena + i * PAGE_WORDS, PAGE_WORDS, me.owner, i, generation);
    memcpy(shadow + i * PGSIZE, arena + i * PGSIZE, PGSIZE);
  }
}

static void check_arena(void) {
  for (int i = 0; i < ARENA_SIZE; i++)
    CHECK(arena[i] == shadow[i], "worker %d: byte %d of the arena at %p is %d, not %d", me.slot, i,
          (void *)(arena + i), arena[i], shadow[i]);
}

// Somewhere n bytes have a border in them, or just before or behind.
static char *somewhere(uint64 n) {
  uint64 back = below(n + 2);
  switch (below(12)) {
    case 0:
      return (char *)data_start() - back;  // constants, data
    case 1:
      return (char *)PGROUNDDOWN(r_sp()) - 1 - back;  // the guard, the stack
    case 2:
      return (char *)USERTOP - back;
    case 3:
    case 4:
      return arena + ARENA_SIZE - back;  // the end of the heap
    default:
      return arena + (1 + below(ARENA_PAGES - 1)) * PGSIZE - back;
  }
}

// How many of n bytes from `at` on can be read.
static uint64 readable(const char *at, uint64 n) {
  extern char end[];  // of the data
  char *last = arena + ARENA_SIZE;
  if (at >= arena) return at >= last ? 0 : at + n > last ? (uint64)(last - at) : n;
  return (uint64)at + n <= PGROUNDUP((uint64)end) ? n : 0;
}

static uint64 writable(const char *at, uint64 n) {
  return at < arena && (uint64)at < data_start() ? 0 : readable(at, n);
}

static int in_arena(const char *at) { return at >= arena && at < arena + ARENA_SIZE; }

// A call moved `result` of n bytes, of which `reach` were within reach.
static void check_amount(const char *call, const char *at, int result, uint64 n, uint64 reach) {
  if (reach == n && result == (int)n) return;
  if (reach == n && memory_is_short()) return;
  CHECK(reach < n && (result == -1 || (result > 0 && result <= (int)reach)),
        "worker %d: %s of %ld bytes at %p, %ld within reach, gave %d", me.slot, call, n, (void *)at,
        reach, result);
}

// A call stored the first `sure` of these bytes at `at`, and may have stored more of
// them, as far as `reach`.
static void stored(const char *call, char *at, const char *from, uint64 sure, uint64 reach) {
  for (uint64 i = 0; i < reach; i++) {
    CHECK(at[i] == from[i] || (i >= sure && (!in_arena(at) || at[i] == shadow[at + i - arena])),
          "worker %d: %s stored %d at %p, byte %ld, not %d", me.slot, call, at[i], (void *)at, i,
          from[i]);
    if (in_arena(at)) shadow[at + i - arena] = at[i];
  }
}

// The same for calls that store all of it or fail.
static void check_store(const char *call, int result, char *at, const void *from, uint64 n) {
  uint64 reach = writable(at, n);
  CHECK(reach == n ? result >= 0 || memory_is_short() : result == -1,
        "worker %d: %s at %p, %ld of %ld bytes within reach, gave %d", me.slot, call, (void *)at,
        reach, n, result);
  stored(call, at, from, result >= 0 ? n : 0, reach);
}

// --- Buffers ---

// Room for a result outside of the arena is in `bytes`, and changes nothing there that
// matters; a place in data but not in `bytes` would.
static char *room_for(uint64 n) {
  char *at = somewhere(n);
  return !in_arena(at) && writable(at, n) ? bytes : at;
}

static void try_pipe_read(void) {
  int ends[2];
  uint64 n = 1 + below(BYTES_MOST), owner = new_owner(), reach;
  char *at = room_for(n);
  if (pipe(ends) < 0) return;
  static char sent[BYTES_MOST];
  for (uint64 i = 0; i < n; i++) sent[i] = byte_of(owner, i);
  CHECK(write(ends[1], sent, n) == (int)n, "a pipe does not take %ld bytes", n);
  int got = read(ends[0], at, n);
  reach = writable(at, n);
  check_amount("read of a pipe", at, got, n, reach);
  stored("read of a pipe", at, sent, got > 0 ? got : 0, reach);
  uint64 done = got > 0 ? got : 0;  // the rest is still there
  if (done < n) {
    int rest = read(ends[0], bytes, n);
    CHECK(rest == (int)(n - done) || memory_is_short(), "a pipe gave %d, then %d of %ld bytes", got,
          rest, n);
    if (rest > 0) check_bytes(bytes, owner, done, rest);
  }
  close(ends[0]);
  close(ends[1]);
}

// Data change while the call is made; constants and the arena do not.
static void check_same(const char *call, const char *back, const char *at, int n) {
  if (n <= 0) return;
  if (!in_arena(at) && (uint64)at + n > data_start())
    n = (uint64)at < data_start() ? data_start() - (uint64)at : 0;
  CHECK(memcmp(back, at, n) == 0, "%s changed bytes from %p", call, (void *)at);
}

static void try_pipe_write(void) {
  int ends[2];
  uint64 n = 1 + below(BYTES_MOST);
  char *at = somewhere(n);
  if (pipe(ends) < 0) return;
  int sent = write(ends[1], at, n);
  check_amount("write to a pipe", at, sent, n, readable(at, n));
  close(ends[1]);
  static char back[BYTES_MOST];
  int got = read(ends[0], back, n);
  CHECK(got == (sent > 0 ? sent : 0) || memory_is_short(), "a pipe that took %d bytes gave %d",
        sent, got);
  check_same("a pipe", back, at, got);
  close(ends[0]);
}

static void try_file_read(void) {
  int fd = file_owner ? open(name[0], O_RDONLY) : -1;
  if (fd < 0) return;
  uint64 n = 1 + below(BYTES_MOST), reach;
  char *at = room_for(n);
  static char expected[BYTES_MOST];
  for (uint64 i = 0; i < n; i++) expected[i] = byte_of(file_owner, i);
  int got = read(fd, at, n);
  reach = writable(at, n);
  check_amount("read of a file", at, got, n, reach);
  stored("read of a file", at, expected, got > 0 ? got : 0, reach);
  close(fd);
}

static void try_file_write(void) {
  int fd = open(name[1], O_CREATE | O_TRUNC | O_RDWR);
  if (fd < 0) return;
  uint64 n = 1 + below(BYTES_MOST);
  char *at = somewhere(n);
  int sent = write(fd, at, n);
  if (readable(at, n) < n) check_amount("write to a file", at, sent, n, readable(at, n));
  close(fd);
  fd = open(name[1], O_RDONLY);
  static char back[BYTES_MOST];
  int got = fd < 0 ? -1 : read(fd, back, n);
  if (got > 0 && sent >= 0) {  // a disk that is full may have taken less
    CHECK(got == sent, "a file that took %d bytes gave %d", sent, got);
    check_same("a file", back, at, got);
  }
  if (fd >= 0) close(fd);
}

// --- Results ---

static void try_fstat(void) {
  struct stat st;
  int fd = open(below(2) ? "/" : PLACE, O_RDONLY);
  if (fd < 0) return;
  char *at = room_for(sizeof(st));
  memset(&st, 0, sizeof(st));
  int known = fstat(fd, &st) == 0 && st.type == T_DIR;
  CHECK(known || memory_is_short(), "no status of a directory");
  int result = fstat(fd, (struct stat *)at);
  if (result == 0 && known && in_arena(at)) {  // others make files here meanwhile
    struct stat seen;
    memcpy(&seen, at, sizeof(seen));
    CHECK(seen.ino == st.ino && seen.type == st.type, "fstat knows two files");
    st = seen;
  }
  if ((result == 0 && known) || writable(at, sizeof(st)) == 0)
    check_store("fstat", result, at, &st, sizeof(st));
  else
    check_amount("fstat", at, result, sizeof(st), writable(at, sizeof(st)));
  if ((result < 0 || !known) && in_arena(at))
    memcpy(shadow + (at - arena), at, writable(at, sizeof(st)));
  close(fd);
}

static void try_wait(void) {
  int code = below(1 << 30), status = 0;
  char *at = room_for(sizeof(code));
  int pid = descend();
  if (pid == 0) exit(code);
  if (pid < 0) return;
  int got = wait((int *)at);
  if (got != pid && got != -1 && memory_is_short()) exit(KILLED);  // the holder has died of it
  CHECK(got == pid || got == -1, "wait for %d gave %d", pid, got);
  check_store("wait", got, at, &code, sizeof(code));
  if (got == pid) return;
  CHECK(wait(&status) == pid || memory_is_short(), "a child that a bad wait met is gone");
  CHECK(status == code || memory_is_short(), "a child's status is %d, not %d", status, code);
}

static void try_pipe(void) {
  int ends[2] = {dup(0), dup(0)};  // what pipe will find free
  close(ends[0]);
  close(ends[1]);
  if (ends[1] < 0) return;
  char *at = room_for(sizeof(ends));
  int result = pipe((int *)at);
  if (result == 0 || writable(at, sizeof(ends)) < sizeof(ends))
    check_store("pipe", result, at, ends, sizeof(ends));
  else if (in_arena(at))
    memcpy(shadow + (at - arena), at, sizeof(ends));  // no pipe to be had
  for (int i = 0; i < 2 && result == 0; i++) close(ends[i]);
  int now[2] = {dup(0), dup(0)};
  close(now[0]);
  close(now[1]);
  CHECK(now[0] == ends[0] && now[1] == ends[1], "pipe at %p gave %d and keeps a descriptor",
        (void *)at, result);
}

// memstat and proclist: nobody knows what they store, but where.
static void try_reports(void) {
  struct procinfo row[2];
  uint64 n = below(2) ? sizeof(struct memstat) : sizeof(row);
  char *at = room_for(n);
  uint64 reach = writable(at, n);
  int result = n == sizeof(row) ? proclist((struct procinfo *)at, 2) : memstat((void *)at);
  CHECK(reach == n ? result >= 0 || memory_is_short() : result == -1,
        "a report of %ld bytes at %p, %ld within reach, gave %d", n, (void *)at, reach, result);
  if (in_arena(at)) memcpy(shadow + (at - arena), at, reach);
}

// --- Strings ---

// Puts a path across a border of the arena.  If the end of the arena is that border,
// its NUL is missing, and no call may succeed; if the page behind is lazy, the NUL
// may be one that nobody wrote.
static char *place_path(const char *path, int *good) {
  uint64 length = strlen(path), border = 1 + below(ARENA_PAGES);
  *good = border < ARENA_PAGES;
  uint64 back = *good ? below(length + 2) : length;
  char *at = arena + border * PGSIZE - back;
  for (uint64 i = 0; i <= length; i++) {
    uint64 to = at + i - arena;
    if (to == ARENA_SIZE || shadow[to] == path[i]) continue;
    shadow[to] = path[i];
    at[i] = path[i];
  }
  return at;
}

static void try_open(void) {
  int good;
  char *at = place_path(name[0], &good);
  int fd = open(at, O_RDONLY);
  if (fd >= 0) close(fd);
  if (!good || !file_owner) CHECK(fd < 0, "open of a string at %p gave %d", (void *)at, fd);
  else CHECK(fd >= 0 || files_are_short() || memory_is_short(), "no open with %p", (void *)at);
}

static void try_chdir(void) {
  int good;
  char *at = place_path(PLACE, &good);
  int result = chdir(at);
  if (result == 0) CHECK(chdir("/") == 0 || memory_is_short(), "no way back");
  CHECK(result == (good ? 0 : -1) || memory_is_short(), "chdir with %p gave %d", (void *)at,
        result);
}

// Makes something of a name, and removes it by the same string.
static void try_names(void) {
  int good, result;
  char *at = place_path(name[2], &good);
  switch (below(3)) {
    case 0: result = mkdir(at); break;
    case 1: result = mknod(at, 3, 4); break;
    default: result = link(name[0], at);
  }
  if (!good) CHECK(result < 0, "a name without end at %p was made", (void *)at);
  if (result == 0) CHECK(unlink(at) == 0 || memory_is_short(), "no unlink by %p", (void *)at);
  else CHECK(unlink(at) < 0, "unlink by %p of what is not there", (void *)at);
}

// exec that must fail, for its path or for its arguments.
static void try_exec(void) {
  int good;
  char *at = below(2) ? place_path(PLACE, &good) : somewhere(8);
  char *argv[] = {"stress", arena + ARENA_SIZE, 0};
  int result = below(2) ? exec(at, argv) : exec("/stress", (char **)(arena + ARENA_SIZE - 4));
  CHECK(result == -1, "exec gave %d", result);
}

static void try_call(void) {
  static void (*const calls[])(void) = {
      try_pipe_read, try_pipe_write, try_fstat, try_wait,  try_pipe,
      try_reports,   try_file_read,  try_open,  try_chdir, try_exec,
  };
  static void (*const slow[])(void) = {try_file_write, try_names};  // change the disk
  if (below(40)) calls[below(COUNT_OF(calls))]();
  else slow[below(COUNT_OF(slow))]();
}

static void begin_files(void) {
  for (int i = 0; i < 3; i++) {
    own_name(name[i], "copy", i);
    unlink(name[i]);  // of a worker killed before
  }
  int fd = open(name[0], O_CREATE | O_RDWR);
  uint64 owner = new_owner();
  for (int i = 0; i < BYTES_MOST; i++) bytes[i] = byte_of(owner, i);
  if (fd >= 0 && write(fd, bytes, BYTES_MOST) == BYTES_MOST) file_owner = owner;
  if (fd >= 0) close(fd);
  if (!file_owner) unlink(name[0]);
}

void copystorm_operation(void) {
  int hold[2], pid;
  char end;
  if (!file_owner) begin_files();
  arena = align_break();
  CHECK(sbrk(ARENA_SIZE) == arena, "no room for an arena");
  memset(shadow, 0, sizeof(shadow));
  fill(4);
  if (pipe(hold) < 0) hold[0] = -1;
  pid = hold[0] < 0 ? -1 : descend();
  if (pid == 0) {
    close(hold[1]);
    read(hold[0], &end, 1);  // until the worker has done its calls
    check_arena();
    exit(0);
  }
  fill(2);
  for (int i = 0; i < ROUNDS; i++) try_call();
  check_arena();
  if (hold[0] >= 0) {
    close(hold[0]);
    close(hold[1]);
  }
  if (pid > 0) child_must_be_well(0);
  sbrk(-ARENA_SIZE);
  me.operations += ROUNDS - 1;  // an operation is a call
}
