// oomstorm: memory runs out everywhere at once.  Guests sit down, and at one moment
// all of them begin to take frames: by first touches, by writes to shared pages,
// by fork and exec, by eager growth, by system calls that fill lazy buffers.  Who
// touches may die; who only makes calls, with pages of its own, must not; and in
// the end every frame is back.
//
// The guests tell through a pipe what they are about to take, so that a death can be
// held against how much memory there was.
#include "stress/stress/stress.h"

#define COURSE    32                     // pages between two reports
#define PATIENCE  (10 * TICKS_A_SECOND)  // until a guest goes home
#define FORKING   (2 * TICKS_A_SECOND)
#define APART     512UL                  // pages, so that each has a table of its own
#define STAY      3                      // ticks, after there is nothing left
#define PIECE     512                    // bytes, of calls

// From GROWER on they have no reason to die.
enum guest { TOUCHER, COPIER, FORKER, GROWER, CALLER, GUEST_KINDS };
#define GUESTS  (2 * GUEST_KINDS)

static int book[2];     // how many pages were taken: ints, as they are
static int go[2];       // ends when all may begin
static uint64 *shared;  // pages of the worker, for the copiers
static uint64 shared_pages, share;
static int home_time;

static void take_course(int pages) {
  if (write(book[1], &pages, sizeof(pages)) != sizeof(pages)) exit(1);
}

// Takes `share` pages, course by course; take(base, i) gets page i.
static void eat(uint64 *base, uint64 most, void (*take)(uint64 *page, uint64 i)) {
  for (uint64 i = 0; i < most && uptime() < home_time; i++) {
    if (i % COURSE == 0) take_course(most - i < COURSE ? most - i : COURSE);
    take(base + i * PAGE_WORDS, i);
  }
}

static void touch(uint64 *page, uint64 i) {
  if (below(8) == 0) page_check(page, PAGE_WORDS, 0, 0, 0);
  page_stamp(page, PAGE_WORDS, me.owner, i, 1);
}

static void toucher(void) {
  uint64 *base = (uint64 *)align_break();
  CHECK(sbrk(share * PGSIZE) == (char *)base, "no room to touch");
  eat(base, share, touch);
  for (uint64 i = 0; i < share && uptime() < home_time; i++)
    page_check(base + i * PAGE_WORDS, PAGE_WORDS, me.owner, i, 1);
}

static void write_shared(uint64 *page, uint64 i) {
  page_check(page, PAGE_WORDS, 0, i, 1);
  page_stamp(page, PAGE_WORDS, me.owner, i, 2);
}

static void copier(void) {
  eat(shared, shared_pages, write_shared);
  for (uint64 i = 0; i < shared_pages && uptime() < home_time; i++)
    page_check(shared + i * PAGE_WORDS, PAGE_WORDS, me.owner, i, 2);
  toucher();
}

// Grows by a few pages until that fails, holds them, and begins again.
static void grower(void) {
  uint64 had = 0, *base = (uint64 *)align_break();
  for (int end = home_time; uptime() < end && had < share; had += COURSE) {
    take_course(COURSE);
    uint64 *more = (uint64 *)sbrkeager(COURSE * PGSIZE);
    if (more == (uint64 *)SBRK_ERROR) break;
    CHECK(more == base + had * PAGE_WORDS, "growth to %p, not %p", (void *)more,
          (void *)(base + had * PAGE_WORDS));
    for (uint64 i = 0; i < COURSE; i++) {
      page_check(more + i * PAGE_WORDS, PAGE_WORDS, 0, 0, 0);
      page_stamp(more + i * PAGE_WORDS, PAGE_WORDS, me.owner, had + i, 1);
    }
  }
  sleep(STAY);
  for (uint64 i = 0; i < had; i++)
    page_check(base + i * PAGE_WORDS, PAGE_WORDS, me.owner, i, 1);
}

// Forks all the time, so that it does when memory ends, and goes on a while when that
// fails.  Its pages lie far apart: a fork wants a page table for each, and so fails
// half-way.  Some of the children become another program, if that works.
static void forker(void) {
  static char *argv[] = {"stress", "--child", "0", "0", 0};
  uint64 *base = (uint64 *)align_break();
  int end = uptime() + FORKING, fails = 0;
  CHECK(sbrk_by(COURSE * APART * PGSIZE) == (char *)base, "no room to touch");
  take_course(2 * COURSE);  // tables, too
  for (uint64 i = 0; i < COURSE; i++) touch(base + i * APART * PAGE_WORDS, i);
  while (uptime() < end && fails < 100) {
    int status = 0, pid = descend();
    if (pid == 0) {
      page_stamp(base, PAGE_WORDS, me.owner, 0, 2);
      if (below(4) == 0) exec("/stress", argv);
      page_check(base, PAGE_WORDS, me.owner, 0, 2);
      exit(0);
    }
    fails += pid < 0;
    if (pid > 0) CHECK(wait(&status) == pid || fails, "wait for %d failed", pid);
    CHECK(status == 0 || status == 99 || status == KILLED, "a child ended with %d", status);
  }
  for (uint64 i = 0; i < COURSE && uptime() < home_time; i++)
    page_check(base + i * APART * PAGE_WORDS, PAGE_WORDS, me.owner, i, 1);
}

// One piece through a pipe into a page that may be missing.  Returns whether it
// arrived there; if not it is still in the pipe.
static int call_into(const int ends[2], char *at, char *own, uint64 number) {
  for (int i = 0; i < PIECE; i++) own[i] = byte_of(me.owner + number, i);
  CHECK(write(ends[1], own, PIECE) == PIECE, "a pipe refuses bytes");
  int got = read(ends[0], at, PIECE);
  CHECK(got == PIECE || got == -1, "a pipe gave %d", got);
  if (got == PIECE) {
    check_bytes(at, me.owner + number, 0, PIECE);
    return 1;
  }
  memset(own, 0, PIECE);
  CHECK(read(ends[0], own, PIECE) == PIECE, "a pipe lost what it could not deliver");
  check_bytes(own, me.owner + number, 0, PIECE);
  return 0;
}

// Makes calls that want memory, and touches nothing but what a call has filled.
static void caller(void) {
  static char own[PIECE];
  struct stat st;
  int ends[2], other[2], fails = 0;
  CHECK(pipe(ends) == 0, "no pipe");
  call_into(ends, own, own, 0);  // the pipe's frame, and what the calls need
  char *base = align_break();
  CHECK(sbrk(share * PGSIZE) == base, "no room for buffers");
  char token;
  read(go[0], &token, 1);
  for (uint64 i = 0; i < share && uptime() < home_time && fails < 200; i++) {
    if (i % COURSE == 0) take_course(COURSE);
    fails += !call_into(ends, base + i * PGSIZE, own, i);
    if (pipe(other) == 0) {
      close(other[0]);
      close(other[1]);
    }
    int fd = open("/", O_RDONLY);
    if (fd >= 0) {
      CHECK(fstat(fd, &st) < 0 || st.type == T_DIR, "the root is no directory");
      close(fd);
    }
    if (fails && i % 8 == 0) sleep(1);
  }
}

static void be_guest(int number) {
  static void (*const guests[])(void) = {toucher, copier, forker, grower, caller};
  char token;
  close(go[1]);
  close(book[0]);
  own_pages();
  int kind = number % GUEST_KINDS;
  if (kind != CALLER) read(go[0], &token, 1);
  guests[kind]();
  exit(0);
}

// Reads the book until all guests are gone.  Returns what is in it.
static uint64 read_book(void) {
  int pages;
  uint64 sum = 0;
  while (read(book[0], &pages, sizeof(pages)) == sizeof(pages)) sum += pages;
  return sum;
}

static void see_them_off(int guests, const int *pids, uint64 free, uint64 taken) {
  for (int i = 0; i < guests; i++) {
    int status = 0, pid = wait(&status), number = 0;
    CHECK(pid > 0, "a guest is lost");
    while (number < guests && pids[number] != pid) number++;
    if (status == 0) continue;
    int kind = number % GUEST_KINDS;
    CHECK(status == KILLED && kind < GROWER,
          "guest %d of kind %d ended with %d", number, kind, status);
    CHECK(taken > free - free / 8 || !me.alone, "guest %d died when %ld of %ld pages were taken",
          number, taken, free);
  }
}

static uint64 settled(uint64 wanted) {
  for (int i = 0; free_frames() != wanted && i < 5 * TICKS_A_SECOND; i++) sleep(1);
  return free_frames();
}

// Forks the guests, and lets them begin.  Returns how many there are.
static int seat(int *pids) {
  int made = 0;
  home_time = uptime() + PATIENCE;
  CHECK(pipe(book) == 0 && pipe(go) == 0, "no pipe");
  for (; made < GUESTS; made++) {
    pids[made] = descend();
    if (pids[made] == 0) be_guest(made);
    if (pids[made] < 0) break;
  }
  own_pages();
  close(go[0]);
  close(book[1]);
  sleep(1);
  close(go[1]);
  return made;
}

void oomstorm_operation(void) {
  static int pids[GUESTS];
  if (!share) sleep(2);  // until the others have pages of their own
  own_pages();
  uint64 before = free_frames();
  share = before * 2 / GUESTS;
  shared_pages = before / 16;
  shared = (uint64 *)align_break();
  CHECK(sbrk(shared_pages * PGSIZE) == (char *)shared, "no room to share");
  for (uint64 i = 0; i < shared_pages; i++)
    page_stamp(shared + i * PAGE_WORDS, PAGE_WORDS, 0, i, 1);
  int made = seat(pids);
  uint64 taken = read_book();
  close(book[0]);
  see_them_off(made, pids, before - shared_pages, taken);
  for (uint64 i = 0; i < shared_pages; i++)
    page_check(shared + i * PAGE_WORDS, PAGE_WORDS, 0, i, 1);
  sbrk(-(long)(shared_pages * PGSIZE));
  me.operations += taken;  // an operation is a page
  if (!me.alone) return;
  uint64 after = settled(before);
  CHECK(after == before, "%ld frames were free before memory ran out, and %ld after", before,
        after);
}
