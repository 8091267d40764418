// fuzz: random system calls with hostile arguments.  Each life is a child with a
// folder of its own in PLACE, a few descriptors and an arena of pages of all kinds;
// it makes calls until it exits, dies, or is found to hang.  The kernel must live,
// all memory come back, and nobody else's change.
//
// The calls of a life depend on seed, slot and life alone, not on what came before.
// What it never does: poweroff; kill outside of its family; change what is not in
// its folder; open the console; sleep long.  Its children make no call that blocks.
#include "stress/stress/stress.h"

#include "kernel/inject.h"
#include "kernel/syscall.h"

#define CALLS_MOST  600
#define REPORTED    16                    // calls between two words to the worker
#define COUNTER     15                    // the descriptor for that; no call gets it
#define PATIENCE    3                     // ticks that a life may last: most that do hang
#define DEVICES     2                     // nodes may not have major numbers up to that
#define KIDS        8

long raw_call(uint64 number, const uint64 a[6]);

// What an argument is drawn from.
enum kind {
  NONE, ANY, FD, TO, FROM, COUNT, PATH, PROGRAM, ARGV, FLAGS, SMALL, PID, BREAK, MODE, NAP, MAJOR,
  POINT, FUNCTION
};

// Calls that change the disk are rare: each takes as long as hundreds of others.
static const struct {
  uint8 number;
  uint8 weight;
  uint8 kinds[3];
} calls[] = {
    {SYS_fork, 2, {0}},
    {SYS_exit, 1, {ANY}},
    {SYS_wait, 4, {TO}},
    {SYS_pipe, 4, {TO}},
    {SYS_read, 60, {FD, TO, COUNT}},
    {SYS_kill, 3, {PID}},
    {SYS_exec, 3, {PROGRAM, ARGV}},
    {SYS_fstat, 30, {FD, TO}},
    {SYS_chdir, 8, {PATH}},
    {SYS_dup, 20, {FD}},
    {SYS_getpid, 4, {0}},
    {SYS_sbrk, 30, {BREAK, MODE}},
    {SYS_sleep, 1, {NAP}},
    {SYS_uptime, 4, {0}},
    {SYS_open, 40, {PATH, FLAGS}},
    {SYS_write, 40, {FD, FROM, COUNT}},
    {SYS_mknod, 2, {PATH, MAJOR, SMALL}},
    {SYS_unlink, 5, {PATH}},
    {SYS_link, 3, {PATH, PATH}},
    {SYS_mkdir, 2, {PATH}},
    {SYS_close, 24, {FD}},
    {SYS_sync, 1, {0}},
    {SYS_memstat, 8, {TO}},
    {SYS_proclist, 8, {TO, COUNT}},
    {SYS_inject, 2, {POINT, SMALL}},
    {SYS_clone, 3, {FUNCTION, ANY, ANY}},
    {SYS_join, 3, {TO}},
    {SYS_futex, 12, {TO, SMALL, SMALL}},
};

// --- The arena ---

// Made by the worker, so that a life has its pages only as copies.  The first two
// hold paths; what is drawn for the kernel to store into lies from WRITTEN on.
enum { PATHS = 0, ZEROS = 2, WRITTEN = 4, ARENA_PAGES = 12 };

static char *arena, *stack_page;
static const char *const names[] = {
    "a", "b", "c", "d", "d/a", "d/../b", "./c", ".", "", "d/", "d//b", "fourteen-and-more",
    "././././././././././././././././././././././././././././././././././././././././././././././"
    "./././././././././././././././././a",
};
static char *paths[COUNT_OF(names)];
static int is_lazy(int page) { return page == ZEROS || page % 3 == 0; }

// Paths come one after the other across the border of the first two pages.
static void begin_arena(void) {
  arena = align_break();
  CHECK(sbrk(ARENA_PAGES * PGSIZE) == arena, "no room for an arena");
  char *at = arena + PGSIZE - 150;
  for (int i = 0; i < COUNT_OF(names); i++) {
    paths[i] = strcpy(at, names[i]);
    at += strlen(at) + 1;
  }
  for (int i = WRITTEN; i < ARENA_PAGES; i++)
    if (!is_lazy(i))
      page_stamp((uint64 *)(arena + i * PGSIZE), PAGE_WORDS, me.owner, i, 1);
  stack_page = (char *)PGROUNDDOWN(r_sp());
}

static void check_arena(void) {
  for (int i = WRITTEN; i < ARENA_PAGES; i++)
    if (!is_lazy(i))
      page_check((uint64 *)(arena + i * PGSIZE), PAGE_WORDS, me.owner, i, 1);
  for (int i = 0; i < COUNT_OF(names); i++)
    CHECK(strcmp(paths[i], names[i]) == 0, "worker %d: path %d has changed", me.slot, i);
}

// --- Arguments ---

static int kids[KIDS];  // what fork returned
static int kids_made;

static uint64 nowhere(void) {
  switch (below(8)) {
    case 0: return data_start() - 1 - below(64);  // constants
    case 1: return (uint64)stack_page - 1 - below(PGSIZE);  // the guard
    case 2: return 0xffffffc080000000UL + below(1UL << 26);
    case 3: return KERNBASE + below(1UL << 26);
    case 4: return USERTOP + 64 - below(128);
    case 5: return MAXVA + 64 - below(128);
    case 6: return -below(64);
    default: return random_number() | 1UL << 50;
  }
}

static uint64 border(void) {
  return (uint64)arena + (WRITTEN + below(ARENA_PAGES + 1 - WRITTEN)) * PGSIZE - below(48);
}

static uint64 draw_number(void) {
  switch (below(6)) {
    case 0: return -below(3);
    case 1: return 0x7fffffffUL + below(3);
    case 2: return random_number();
    case 3: return (1UL << 32) + below(20);
    default: return below(20);
  }
}

static uint64 draw_descriptor(void) {
  uint64 fd = below(12) == 0 ? draw_number() : below(10);
  return (int)fd == COUNTER ? 0 : fd;
}

static uint64 draw_count(void) {
  switch (below(16)) {
    case 0: return draw_number();
    case 1: return PGSIZE + 2 - below(4);
    case 2: return below(3 * PGSIZE);
    default: return below(64);
  }
}

static uint64 draw_break(void) {
  switch (below(16)) {
    case 0: return draw_number();
    case 1: return -below(3 * PGSIZE);
    case 2: return -below(8);
    case 3: return below(1UL << 31);
    default: return below(2 * PGSIZE);
  }
}

static uint64 draw_path(void) {
  if (below(8)) return (uint64)paths[below(COUNT_OF(names))];
  return below(2) ? nowhere() : (uint64)arena + ZEROS * PGSIZE + below(PGSIZE);
}

// Those that say something have a pipe or a file to say it to.
static uint64 draw_program(void) {
  static const char *const programs[] = {"/echo", "/wc", PLACE};
  return below(3) ? (uint64)programs[below(3)] : draw_path();
}

static uint64 draw_pid(void) {
  switch (below(12)) {
    case 0: return -1;
    case 1: return 0;
    case 2: return 1;
    case 3: return below(4) ? 0 : getpid();
    case 4: return 1UL << 30 | random_number();
    default: return kids[below(KIDS)];
  }
}

static uint64 draw_major(void) {
  uint64 major = draw_number();
  return (int)major > 0 && (int)major <= DEVICES ? 0 : major;
}

// What a thread does: it must not draw numbers, so that a life stays the same.
static void visit(void *number, void *unused) {
  (void)unused;
  uint64 a[6] = {(uint64)number, 1, 1};
  raw_call(SYS_futex, a);
  exit(0);
}

static uint64 draw(enum kind kind) {
  uint64 choice = below(8);
  switch (kind) {
    case FD: return draw_descriptor();
    case TO: return choice ? border() : nowhere();
    case FROM: return choice > 1 ? border() : choice ? nowhere() : draw_path();
    case COUNT: return draw_count();
    case PATH: return draw_path();
    case PROGRAM: return draw_program();
    case ARGV: return choice > 2 ? (uint64)arena + (ZEROS + 1) * PGSIZE - below(32) : border();
    case FLAGS: return choice > 1 ? below(3) : choice ? O_CREATE | below(3) : draw_number();
    case SMALL: return below(30);
    case PID: return draw_pid();
    case BREAK: return draw_break();
    case MODE: return below(4) ? below(3) : draw_number();
    case NAP: return 2 - below(5);
    case MAJOR: return draw_major();
    case POINT: return below(INJECT_POINTS + 2) - 1;
    case FUNCTION: return choice ? (uint64)visit : border();
    default: return draw_number();
  }
}

// --- A life ---

static int blocks(uint64 number) {
  return number == SYS_fork || number == SYS_exec || number == SYS_read || number == SYS_write ||
         number == SYS_sleep || number == SYS_wait || number == SYS_join || number == SYS_futex;
}

// Which call is next: an index, by weight.
static int draw_call(void) {
  static uint64 sum;
  if (!sum)
    for (int i = 0; i < COUNT_OF(calls); i++) sum += calls[i].weight;
  int i = 0;
  for (uint64 at = below(sum); at >= calls[i].weight; i++) at -= calls[i].weight;
  return i;
}

static void unknown_call(uint64 a[6]) {
  static const uint64 numbers[] = {0, 23, 63, 500, 1UL << 31, 1UL << 32, -1};
  raw_call(numbers[below(COUNT_OF(numbers))], a);
}

// Tells the worker that REPORTED calls have been made, or which one was wrong.
static void tell(uint8 what) { write(COUNTER, &what, 1); }

// What any kernel must answer.
static void check_result(uint64 number, const uint64 a[6], long result) {
  if (result < -1 || (number == SYS_kill && (int)a[0] <= 1 && result != -1) ||
      (number == SYS_getpid && result != getpid()))
    tell(number);
}

// One call; returns 0 in a child that it made.
static int call_once(int is_child) {
  uint64 a[6];
  int i = draw_call(), at = below(100);
  for (int k = 0; k < 6; k++) a[k] = draw(k < 3 && calls[i].kinds[k] ? calls[i].kinds[k] : ANY);
  uint64 seed = random_number(), number = calls[i].number;
  if (number == SYS_clone) a[3] = PGROUNDDOWN(border());  // the stack
  if (is_child && blocks(number)) return 1;
  if (at == 0) *(volatile char *)border() += 1;
  if (at == 1 && below(10) == 0) unknown_call(a);
  long result = raw_call(number, a);
  if (number == SYS_fork && result == 0) {
    random_start(seed);
    return 0;
  }
  if (number == SYS_fork && result > 0) kids[kids_made++ % KIDS] = result;
  check_result(number, a, result);
  return 1;
}

// Of two pipes one end only is there, so that nobody waits for the other.
static void begin_descriptors(const char *folder, int counter) {
  static char some[200];
  int first[2], second[2];
  for (int fd = 0; fd < COUNTER; fd++)
    if (fd != counter) close(fd);
  while (dup(counter) >= 0) {
  }
  for (int fd = 0; fd < COUNTER; fd++) close(fd);
  if (chdir(folder) < 0 || pipe(first) < 0 || pipe(second) < 0) exit(0);
  write(first[1], some, sizeof(some));
  close(first[1]);
  close(second[0]);
  for (int i = 0; i < 3; i++) open(i < 2 ? names[i] : ".", i < 2 ? O_CREATE | O_RDWR : O_RDONLY);
}

static void live(void) {
  for (int i = 0; i < KIDS; i++) kids[i] = -1;
  for (int page = WRITTEN; page < ARENA_PAGES; page += 4) arena[page * PGSIZE] += 1;
  int most = 1 + below(CALLS_MOST), is_child = 0;
  for (int n = 1; n <= most; n++) {
    if (!call_once(is_child)) {
      is_child = 1;
      most = n + 30;
    }
    if (!is_child && n % REPORTED == 0) tell(0);
  }
  exit(0);
}

// Ends a life that waits for what it alone could do.
static int start_alarm(int life) {
  int pid = fork();
  if (pid != 0) return pid;
  sleep(PATIENCE);
  kill(life);
  exit(0);
}

void fuzz_operation(void) {
  static char folder[NAME_MOST];
  int counter[2], life, alarm, ended;
  uint8 told;
  if (!arena) {
    begin_arena();
    own_name(folder, "fuzz", 0);
    mkdir(folder);
    data_start();
  }
  uint64 seed = random_number();
  if (pipe(counter) < 0) return;
  if ((life = fork()) == 0) {
    begin_descriptors(folder, counter[1]);
    random_start(seed);
    live();
  }
  close(counter[1]);
  alarm = life > 0 ? start_alarm(life) : -1;
  if (life > 0 && alarm < 0) kill(life);
  do ended = wait(0);
  while (ended >= 0 && ended != life);
  if (alarm > 0) kill(alarm);
  while (wait(0) >= 0) {
  }
  while (read(counter[0], &told, 1) == 1) {
    CHECK(told == 0, "worker %d, life %d: call %d gave what it must not", me.slot, me.life, told);
    me.operations += REPORTED;
  }
  close(counter[0]);
  check_arena();
}
