// What a process may reach, and how: outside of its regions nothing, inside only
// what the region allows, from user mode and through system calls alike.
#include "kernel/types.h"
#include "kernel/fcntl.h"
#include "kernel/param.h"
#include "user/lazytests/lazytests.h"

static const char constant[] = "constant";

// ---- ways to touch an address ----------------------------------------------

static void load(void *at) { (void)*(volatile char *)at; }
static void store(void *at) { *(volatile char *)at = 'X'; }
static void jump(void *at) { ((void (*)(void))at)(); }

// The stack is the page of any local; the guard lies below it.
static char *stack_page(void) {
  return (char *)PGROUNDDOWN((uint64)__builtin_frame_address(0) - 1);
}

// ---- and through the kernel ------------------------------------------------

// Each returns what the call returned for the bad address.
static int by_write(char *at) {
  int fds[2];
  CHECK(pipe(fds) == 0, "pipe failed");
  int n = write(fds[1], at, 8);
  close(fds[0]);
  close(fds[1]);
  return n;
}

static int by_read(char *at) {
  int fds[2];
  CHECK(pipe(fds) == 0, "pipe failed");
  CHECK(write(fds[1], "12345678", 8) == 8, "write failed");
  int n = read(fds[0], at, 8);
  close(fds[0]);
  close(fds[1]);
  return n;
}

static int by_file(char *at) {
  int fd = open("lazy.tmp", O_CREATE | O_RDWR);
  CHECK(fd >= 0, "cannot make lazy.tmp");
  int n = write(fd, at, 8);
  close(fd);
  unlink("lazy.tmp");
  return n;
}

static int by_fstat(char *at) { return fstat(0, (struct stat *)at); }
static int by_pipe(char *at) { return pipe((int *)at); }
static int by_open(char *at) { return open(at, O_RDONLY); }
static int by_path(char *at) { return exec(at, (char *[]){"x", 0}); }
static int by_argv(char *at) { return exec("echo", (char **)at); }
static int by_argument(char *at) { return exec("echo", (char *[]){"echo", at, 0}); }
static int by_memstat(char *at) { return memstat((struct memstat *)at); }
static int by_proclist(char *at) { return proclist((struct procinfo *)at, 1); }

struct way {
  const char *name;
  int (*call)(char *at);
  int writes;  // the kernel would store to the address
};

static const struct way ways[] = {
    {"write to a pipe", by_write, 0}, {"write to a file", by_file, 0},
    {"open", by_open, 0},             {"exec's path", by_path, 0},
    {"exec's argv", by_argv, 0},      {"exec's argument", by_argument, 0},
    {"read from a pipe", by_read, 1}, {"fstat", by_fstat, 1},
    {"pipe", by_pipe, 1},             {"memstat", by_memstat, 1},
    {"proclist", by_proclist, 1},
};

static void refuse_all(char *at, int writes_only) {
  for (const struct way *way = ways; way < ways + COUNT_OF(ways); way++) {
    if (writes_only && !way->writes) continue;
    int seen = way->call(at);
    CHECK(seen == -1, "%s at %p gave %d", way->name, at, seen);
  }
}

// ---- tests -----------------------------------------------------------------

void guard_page(void) {
  char *guard = stack_page() - PGSIZE;
  for (long at = 0; at < PGSIZE; at += PGSIZE / 4) {
    EXPECT_KILLED(load, guard + at);
    EXPECT_KILLED(store, guard + at);
  }
  EXPECT_KILLED(store, guard + PGSIZE - 1);
  EXPECT_KILLED(jump, guard);
  refuse_all(guard, 0);
  refuse_all(guard + PGSIZE - 8, 0);
  sbrk(4 * PGSIZE);
  EXPECT_KILLED(store, guard);
}

void no_execute(void) {
  const ushort ret = 0x8082;  // would come back, and the child exit with 0
  ushort *heap = (ushort *)sbrk(PGSIZE);
  static ushort data = 0x8082;
  ushort stack = ret;
  *heap = ret;
  asm volatile("fence.i" : : "r"(&stack) : "memory");
  EXPECT_KILLED(jump, heap);
  EXPECT_KILLED(jump, &data);
  EXPECT_KILLED(jump, &stack);
  EXPECT_KILLED(jump, (char *)heap + PGSIZE);
}

void text_is_constant(void) {
  char *text = (char *)(uint64)text_is_constant;
  char was = *text;
  EXPECT_KILLED(store, text);
  EXPECT_KILLED(store, constant);
  refuse_all(text, 1);
  refuse_all((char *)constant, 1);
  CHECK_EQ(*text, was);
  CHECK(strcmp(constant, "constant") == 0, "a system call wrote to it: %s", constant);
}

// RAM, the two pages on top, the end of the user half, the hole behind it, the
// kernel's half and the devices.
static const uint64 nobodys[] = {
    KERNBASE, PHYSTOP - PGSIZE, USERTOP - PGSIZE, USERTOP, USERTOP + PGSIZE, MAXVA - 8, MAXVA,
    1ul << 39, 1ul << 62, 1ul << 63, -(1ul << 39), -(1ul << 38), -MAXVA + KERNBASE,
    -(1ul << 31), -(uint64)PGSIZE, -8ul, 0x10000000, 0x0c000000,
};

void bad_addresses(void) {
  for (int i = 0; i < COUNT_OF(nobodys); i++) {
    EXPECT_KILLED(load, nobodys[i]);
    EXPECT_KILLED(store, nobodys[i]);
    EXPECT_KILLED(jump, nobodys[i]);
  }
  EXPECT_KILLED(load, -1);
  EXPECT_KILLED(store, -1);
}

void bad_pointers(void) {
  for (int i = 0; i < COUNT_OF(nobodys); i++) refuse_all((char *)nobodys[i], 0);
  refuse_all((char *)-1, 0);
  refuse_all((char *)PGROUNDUP((uint64)sbrk(0)), 0);
}

// Lengths that run from good memory over its end, or around the address space.
void wrapping_pointers(void) {
  const int most = 0x7fffffff;
  int fds[2];
  CHECK(pipe(fds) == 0, "pipe failed");
  int file = open("lazy.tmp", O_CREATE | O_RDWR);
  CHECK(file >= 0, "cannot make lazy.tmp");
  static const uint64 starts[] = {-(uint64)PGSIZE, -1ul, MAXVA - 8, USERTOP - 1};
  for (int i = 0; i < COUNT_OF(starts); i++) {
    char *at = (char *)starts[i];
    CHECK_EQ(write(fds[1], at, 2 * PGSIZE), -1);
    CHECK_EQ(write(file, at, 2 * PGSIZE), -1);
    CHECK_EQ(write(file, at, most), -1);
  }
  CHECK_EQ(write(file, sbrk(0), -1), -1);
  CHECK_EQ(read(file, sbrk(0), -1), -1);

  // Nothing of the failed writes may have been left in the pipe.
  char byte = 'p';
  CHECK_EQ(write(fds[1], &byte, 1), 1);
  byte = 0;
  CHECK_EQ(read(fds[0], &byte, 1), 1);
  CHECK_EQ(byte, 'p');
  unlink("lazy.tmp");
}
