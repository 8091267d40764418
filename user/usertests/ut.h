// What the tests of usertests share: assertions, children, memory patterns and
// files.  A test is a function without arguments that runs in a process of its
// own, with an empty scratch directory as the current one; it passes when it
// returns.  A failed assertion prints what was expected and seen, and ends the
// process that made it with status 1; whoever waits for that process checks.
//
// The stack is one page: big buffers are static.
#pragma once

#include "kernel/types.h"
#include "kernel/fcntl.h"
#include "kernel/fs.h"
#include "kernel/memlayout.h"
#include "kernel/memstat.h"
#include "kernel/param.h"
#include "kernel/riscv.h"
#include "kernel/stat.h"
#include "kernel/syscall.h"
#include "kernel/vm.h"
#include "user/testlib.h"

#define KILLED  (-1)  // exit status of a process that the kernel ended

#define SCRATCH  "/ut.tmp"  // the tests' directory

// --- Assertions ---

// EXPECT(seen, ==, wanted): any comparison of two integers or pointers.
#define EXPECT(seen, op, want)       UT_EXPECT(seen, op, want, 0, 0)

// The same in a loop over cases: `at` is the case's number or address.
#define EXPECT_AT(at, seen, op, want) UT_EXPECT(seen, op, want, #at, (uint64)(at))

#define UT_EXPECT(seen, op, want, at_name, at)                                       \
  do {                                                                               \
    long seen_ = (long)(seen), want_ = (long)(want);                                 \
    if (!(seen_ op want_))                                                           \
      ut_wrong(__FILE__, __LINE__, #seen " " #op " " #want, seen_, want_, at_name, at); \
  } while (0)

void ut_wrong(const char *file, int line, const char *what, long seen, long want,
              const char *at_name, uint64 at) __attribute__((noreturn));

// --- Processes (testlib.h has must_fork and child_status) ---

// Waits for any child: its exit status.  There must be one.
int wait_status(void);

// Waits for n children that must all have ended with status 0.
void join_all(int n);

// A start line.  Every child calls start_wait; it returns once the parent has
// called start_now and each child forked since start_make has arrived.  By then
// the parent has its stack page for itself again, so a child that takes all
// memory cannot starve it.
struct start {
  int end[2];
};
void start_make(struct start *line);
void start_wait(struct start *line);
void start_now(struct start *line);

// A pipe that needs no more memory from now on.
void pipe_primed(int *ends);

// child_status for a body that takes all memory there is.
int hungry_status(void (*body)(void *arg), void *arg);

// Bodies for child_status: one access to the address.
void load_at(void *va);
void store_at(void *va);
void jump_to(void *va);

// How an access by a child of its own ends: KILLED, or 0 if it survived.
#define LOAD_STATUS(va)   child_status(load_at, (void *)(uint64)(va))
#define STORE_STATUS(va)  child_status(store_at, (void *)(uint64)(va))
#define JUMP_STATUS(va)   child_status(jump_to, (void *)(uint64)(va))

// Ends each of the n processes, children of the caller, and reaps them.
void kill_all(const int *pids, int n);

// --- Memory ---

// A well-mixed value of two: what a verified word must hold.
uint64 stamp(uint64 owner, uint64 index);

// The next number of a private sequence, started by random_start.
void random_start(uint64 seed);
uint64 next_random(void);

// Moves the break; a growth must succeed.  Lazy unless it says otherwise.
// Returns the old break.
char *grow(uint64 bytes);
char *grow_eager(uint64 bytes);
void shrink(uint64 bytes);

// Grows to the next page boundary and returns it.
char *page_break(void);

// Touches the caller's writable pages from `at` on so that they are its own and
// not shared: needed before others take all memory.
void own_pages(void *at, uint64 bytes);

// Fills or checks `bytes` (a multiple of 8).  A flaw is the offset of the first
// wrong word, -1 if there is none.
void paint(void *at, uint64 bytes, uint64 owner);
long paint_flaw(const void *at, uint64 bytes, uint64 owner);

// One word in each page, at an offset that depends on the page.  A flaw is
// the first wrong page, -1 if there is none.
void mark_pages(char *at, uint64 pages, uint64 owner);
long mark_flaw(const char *at, uint64 pages, uint64 owner);

// The offset of the first byte that is not zero, or -1.
long nonzero(const void *at, uint64 bytes);

// Waits up to `ticks` until exactly `want` frames are free.  Returns how many
// are missing then: 0 is well.
long frames_missing(uint64 want, int ticks);

// Takes every frame there is, then gives `leave` back.  The caller owns the
// rest at the top of its heap.
void take_all_memory(uint64 leave);

// The page of the stack; below it lies the guard.
uint64 stack_page(void);

// --- Files ---

// Addresses that no program may use, and how many.
extern const uint64 bad_addresses[];
extern const int bad_address_count;

// open() that must succeed; its descriptor.
int must_open(const char *path, int flags);

// A new file of `bytes` (any number) whose byte i is stamp(owner, i), and the
// check that a file is exactly that.
void file_make(const char *path, uint64 bytes, uint64 owner);
void file_check(const char *path, uint64 bytes, uint64 owner);

// The byte at offset i of such a file.
static inline uint8 file_byte(uint64 owner, uint64 i) {
  return (uint8)(stamp(owner, i / 8) >> (i % 8 * 8));
}

// The size of an open file.
uint64 size_of(int fd);

// Whether the path can be opened.
int exists(const char *path);

// prefix, then n in at least two digits; the buffer is the caller's.
char *name_of(char *buffer, const char *prefix, int n);

// argv[0] of a usertests that is to check its arguments for a test of exec, and
// what it does then: returns the status that says which ones it got.
#define EXEC_HELPER  "ut-arguments"
int exec_helper(int argc, char **argv);

// Removes the scratch directory and all in it.
void scratch_remove(void);

#define TEST(name, slow) void test_##name(void);
#include "user/usertests/tests.h"
#undef TEST
