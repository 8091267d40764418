// panicker KIND [COUNT [LOAD [flood]]]: makes a DEBUG kernel that was booted with crash=1
// panic.  COUNT processes do it at the same moment, if more than one, while LOAD others
// keep the harts busy: in user mode, calls and faults, with kernel addresses in s0 (the
// frame pointer, which a backtrace follows), in fork, pipes and sleep; `flood` adds two
// that fill the console.  stress/panictest.py reads the report.
#include "kernel/types.h"
#include "kernel/inject.h"
#include "kernel/syscall.h"
#include "user/user.h"

enum { PAGE = 4096, STACK_SLOTS = 1088, SLOT = 16384 };

static const char *const kinds[] = {
    [CRASH_ASSERT] = "assert", [CRASH_LOAD] = "load", [CRASH_STORE] = "store",
    [CRASH_OVERFLOW] = "overflow", [CRASH_JUMP] = "jump", [CRASH_TWICE] = "twice",
    [CRASH_HELD] = "held", [CRASH_LOOP] = "loop", [CRASH_NESTED] = "nested"};

static uint random_state;

static uint draw(void) { return random_state = random_state * 1103515245 + 12345; }

// An address that a frame pointer of the kernel might be: in stacks that are mapped and
// that are not, in guards, above all stacks, in the image, odd.
static uint64 odd_address(void) {
  uint64 stacks = 0xffffffffc0000000, image = 0xffffffc080000000;
  uint some = draw() >> 8;
  switch (some % 6) {
    case 0: return stacks + some % 8 * SLOT + SLOT / 2 + 32;
    case 1: return stacks + some % STACK_SLOTS * SLOT + some % SLOT / 16 * 16 + 16;
    case 2: return stacks + some % 40 * SLOT + 64;
    case 3: return stacks + (STACK_SLOTS + 1UL) * SLOT + some / 16 * 16;
    case 4: return image + some % (1 << 20) / 16 * 16;
    default: return stacks + some % 8 * SLOT + SLOT - 3;
  }
}

static void spin(void) {
  asm volatile("mv s0, %0\n1: addi t0, t0, 1\n  j 1b" : : "r"(odd_address()));
}

static void call(void) {
  asm volatile("mv s0, %0\n1: li a7, %1\n  ecall\n  j 1b"
               : : "r"(odd_address()), "i"(SYS_getpid));
}

// Touches a new page, and gives it back.
static void fault(void) {
  asm volatile(
      "mv s0, %0\n"
      "1: li a0, %2\n  li a1, %3\n  li a7, %1\n  ecall\n  sd zero, 0(a0)\n"
      "  li a0, -%2\n  li a1, %3\n  li a7, %1\n  ecall\n  j 1b"
      : : "r"(odd_address()), "i"(SYS_sbrk), "i"(PAGE), "i"(SBRK_LAZY));
}

static void make_children(void) {
  for (;;) {
    if (fork() == 0) exit(0);
    wait(0);
  }
}

static void talk(void) {
  int to[2], from[2];
  char c = 0;
  if (pipe(to) < 0 || pipe(from) < 0) exit(1);
  int echo = fork() == 0;
  for (;;) {
    if (!echo) write(to[1], &c, 1);
    read(echo ? to[0] : from[0], &c, 1);
    if (echo) write(from[1], &c, 1);
  }
}

static void nap(void) {
  for (;;) sleep(1 + draw() % 3);
}

static void flood(void) {
  for (;;) printf("a line of the flood, long enough to fill the port's ring in no time at all\n");
}

static void start(void (*body)(void)) {
  draw();
  if (fork() > 0) return;
  body();
}

static void start_load(int load, int flooded) {
  static void (*const bodies[])(void) = {call, spin, fault, make_children, call, talk, nap};
  for (int i = 0; i < load; i++) start(bodies[i % (sizeof(bodies) / sizeof(bodies[0]))]);
  for (int i = 0; flooded && i < 2; i++) start(flood);
}

static int kind_of(const char *name) {
  int kind = sizeof(kinds) / sizeof(kinds[0]);
  while (--kind > 0 && strcmp(kinds[kind], name) != 0) continue;
  return kind;
}

int main(int argc, char **argv) {
  int kind = argc > 1 ? kind_of(argv[1]) : 0;
  int count = argc > 2 ? atoi(argv[2]) : 1;
  if (kind == 0) {
    fprintf(2, "usage: panicker KIND [COUNT [LOAD [flood]]]\n");
    return 2;
  }
  random_state = getpid() * 7919 + uptime();
  start_load(argc > 3 ? atoi(argv[3]) : 0, argc > 4);
  int when = uptime() + 3;
  for (int i = 1; i < count; i++)
    if (fork() == 0) break;
  if (count == 1) sleep(when - uptime());
  while (uptime() < when) continue;
  inject(INJECT_CRASH, kind);
  fprintf(2, "panicker: no panic: not a DEBUG kernel, or booted without crash=1\n");
  return 1;
}
