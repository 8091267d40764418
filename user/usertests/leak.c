// Nothing of the kernel's memory reaches a program: every structure is initialised to its
// last byte.  In DEBUG builds the kernel's stack is painted at each call.
#include "kernel/inject.h"
#include "kernel/procinfo.h"
#include "user/usertests/ut.h"

// --- Names ---

static struct procinfo rows[NPROC];

// The row of process pid once its name is `name`.
static const struct procinfo *row_of(int pid, const char *name) {
  for (int ticks = 0; ticks < 300; ticks++) {
    int n = proclist(rows, NPROC);
    for (int i = 0; i < n; i++)
      if (rows[i].pid == pid && strcmp(rows[i].name, name) == 0) return &rows[i];
    sleep(1);
  }
  CHECK(0, "no process %d called %s", pid, name);
}

// What lies behind a name is zero, after a longer one, and after a fork and an exec.
void test_names_end(void) {
  char *argv[] = {"s", "1000", 0};
  EXPECT(link("/sleep", "s"), ==, 0);
  int pid = must_fork();
  if (pid == 0) {
    inject(INJECT_STACK, 1);
    open("zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz/zzzzzzzzzzzzz", O_RDONLY);
    exec("s", argv);
    exit(1);
  }
  const struct procinfo *row = row_of(pid, "s");
  EXPECT(nonzero(row->name + 1, sizeof(row->name) - 1), ==, -1);
  EXPECT(unlink("s"), ==, 0);
  kill_all(&pid, 1);
}

// --- Every call ---

#define MOST_NUMBER  80
#define ROUNDS       40
#define JUNK         0xa5  // what is in a new frame (mm/kalloc.c)

static char area[3 * PGSIZE] __attribute__((aligned(PGSIZE)));
static char *edge;  // of the heap: nothing is mapped behind it

static long call(long number, const long *a) {
  register long a0 asm("a0") = a[0], a1 asm("a1") = a[1], a2 asm("a2") = a[2],
                a3 asm("a3") = a[3], a7 asm("a7") = number;
  asm volatile("ecall" : "+r"(a0) : "r"(a1), "r"(a2), "r"(a3), "r"(a7) : "memory");
  return a0;
}

static long random_below(long n) { return next_random() % n; }

// Mostly good addresses, at any alignment, with enough room behind them or not.
static long random_address(void) {
  switch (random_below(8)) {
    case 0: return bad_addresses[random_below(bad_address_count)];
    case 1: return (long)edge - random_below(100);
    case 2: return stack_page() - random_below(64);
    default: return (long)area + random_below(PGSIZE) * (random_below(2) ? 1 : 8) % sizeof(area);
  }
}

// Four bytes in a row of what the kernel's memory was filled with.
static int looks_leaked(const void *at, int bytes) {
  const uint8 *b = at;
  for (int i = 0, run = 0; i < bytes; i++) {
    run = b[i] != INJECT_PAINT && b[i] != JUNK ? 0 : i > 0 && b[i] == b[i - 1] ? run + 1 : 1;
    if (run == 4) return 1;
  }
  return 0;
}

// Neither ends this process, nor waits for ever, nor says so much that others cannot be
// heard.
static int is_harmless(long number) {
  return number != SYS_exit && number != SYS_poweroff && number != SYS_vmprint &&
         number != SYS_sleep && number != SYS_inject && number != SYS_kill &&
         number != SYS_clone;
}

// Descriptors from which a read returns at once, and the first one behind them.
static int sources[4], lowest_free;
static void open_sources(void) {
  static int pipe_ends[2];
  file_make("file", 3 * BSIZE, 3);
  EXPECT(pipe(pipe_ends), ==, 0);
  close(pipe_ends[1]);
  sources[0] = must_open("file", O_RDWR);
  sources[1] = must_open(".", O_RDONLY);
  sources[2] = must_open("/statistics", O_RDONLY);
  sources[3] = pipe_ends[0];
  lowest_free = dup(0);
  close(lowest_free);
}

static void choose_arguments(long number, long *a) {
  static char path[] = "made", other[] = "/no/such";
  for (int i = 0; i < 4; i++) a[i] = random_address();
  switch (number) {
    case SYS_read:
    case SYS_write: a[2] = random_below(600);  // fall through
    case SYS_fstat: a[0] = sources[random_below(4)]; break;
    case SYS_close:
    case SYS_dup: a[0] = NOFILE + random_below(9); break;
    case SYS_open: a[1] = random_below(2) * O_CREATE;  // fall through
    case SYS_exec:
    case SYS_unlink:
    case SYS_mknod:
    case SYS_mkdir: a[0] = random_below(2) ? a[0] : (long)(random_below(2) ? path : other); break;
    case SYS_chdir: a[0] = random_below(2) ? a[0] : (long)other; break;
    case SYS_sbrk: a[0] = 0; break;
    case SYS_proclist: a[1] = random_below(NPROC); break;
    case SYS_futex: a[1] = random_below(3), a[2] = 0x7777; break;
  }
}

static void after_call(long number, long result) {
  if (number == SYS_fork && result == 0) exit(0);
  if (number == SYS_fork && result > 0) EXPECT(wait(0), ==, result);
  if (number == SYS_open && result >= 0) close(result);
  if (number != SYS_pipe || result != 0) return;
  for (int fd = lowest_free; fd < NOFILE; fd++) close(fd);
}

// One call of `number`: what it leaves in the area and in the result is not the kernel's.
static void try_call(long number) {
  long a[4];
  memset(area, 0, sizeof(area));
  memset(edge - PGSIZE, 0, PGSIZE);
  choose_arguments(number, a);
  long result = call(number, a);
  after_call(number, result);
  EXPECT_AT(number, looks_leaked(area, sizeof(area)), ==, 0);
  EXPECT_AT(number, looks_leaked(edge - PGSIZE, PGSIZE), ==, 0);
  EXPECT_AT(number, looks_leaked(&result, sizeof(result)), ==, 0);
}

static void try_children(void) {
  if (must_fork() == 0) exit(0);
  try_call(SYS_wait);
  while (wait(0) > 0) continue;
}

// Unknown numbers once each, since the kernel tells of them; the others again and again.
void test_painted_stack(void) {
  if (inject(INJECT_STACK, 1) < 0) return;
  open_sources();
  edge = page_break() + PGSIZE;
  grow(PGSIZE);
  static const uint8 known[MOST_NUMBER + 1] = {
#define SYSCALL(number, name, ret, params) [number] = 1,
#include "kernel/syscalls.h"
#undef SYSCALL
  };
  for (int number = 0; number <= MOST_NUMBER; number++)
    if (!known[number]) try_call(number);
  for (int i = 0; i < ROUNDS * MOST_NUMBER; i++) {
    long number = random_below(MOST_NUMBER + 1);
    if (known[number] && is_harmless(number)) try_call(number);
    if (i % 40 == 0) try_children();
  }
  EXPECT(close(sources[0]) | close(sources[1]) | close(sources[2]) | close(sources[3]), ==, 0);
  EXPECT(inject(INJECT_STACK, 0), >, ROUNDS * 10);
}
