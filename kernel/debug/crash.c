// Panics on purpose: see debug/crash.h.  Without locks, but for the one that is misused.
#include "debug/crash.h"

#include "arch/csr.h"
#include "arch/devtree.h"
#include "arch/memlayout.h"
#include "kernel/inject.h"
#include "lib/assert.h"
#include "lib/errno.h"
#include "sync/spinlock.h"

#ifdef DEBUG
#define HELD_SECONDS  8

extern char kernel_start[];

// What the compiler must not know.
static volatile uint64 nowhere = KSTACKS - PGSIZE, endless = 1;

static void crash_assert(void) { ASSERT(endless == 0); }

static void crash_load(void) { (void)*(volatile uint64 *)nowhere; }

static void crash_store(void) { *(volatile uint32 *)kernel_start = 0; }

static NOINLINE uint64 dig(uint64 depth) {
  volatile uint64 room[16];
  room[depth % 16] = depth;
  return endless ? dig(depth + 1) + room[depth % 16] : depth;
}

static void crash_overflow(void) { dig(0); }

static void crash_jump(void) {
  ((void (*)(void))nowhere)();
  endless = 0;  // lest the call be the last thing done, and the frame be gone
}

static void crash_twice(void) {
  static struct spinlock lock = SPINLOCK(FUTEX);
  acquire(&lock);
  acquire(&lock);
}

static void crash_held(void) {
  static struct spinlock lock = SPINLOCK(FUTEX);
  acquire(&lock);
  for (uint64 begin = time_now(); time_now() - begin < HELD_SECONDS * machine.timebase;) continue;
  release(&lock);
}

static void crash_loop(void) {
  while (endless) cpu_relax();
}

static void crash_nested(void) { panic("%s", (const char *)nowhere); }

int crash(uint32 kind) {
  static void (*const ways[])(void) = {
      [CRASH_ASSERT] = crash_assert,     [CRASH_LOAD] = crash_load,
      [CRASH_STORE] = crash_store,       [CRASH_OVERFLOW] = crash_overflow,
      [CRASH_JUMP] = crash_jump,         [CRASH_TWICE] = crash_twice,
      [CRASH_HELD] = crash_held,         [CRASH_LOOP] = crash_loop,
      [CRASH_NESTED] = crash_nested,
  };
  if (boot_number("crash") != 1 || kind >= ARRAY_LEN(ways) || ways[kind] == NULL) return -EINVAL;
  ways[kind]();
  return 0;
}
#endif
