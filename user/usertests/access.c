// Addresses that no program may use, touched directly: each access ends the
// process that made it, and nothing else.
#include "user/usertests/ut.h"

static const char constant_bytes[64] = "constants stay as they are";

// The kernel's homes and the devices, which no user mapping may show.
void test_kernmem(void) {
  static const uint64 bases[] = {KERNBASE,   0xffffffc000000000UL, 0xffffffff80000000UL,
                                 0x10000000, 0x0c000000,           0x02000000,
                                 0x00100000 + (1UL << 30)};
  for (int i = 0; i < COUNT_OF(bases); i++)
    for (uint64 step = 0; step < 4; step++) {
      uint64 va = bases[i] + step * 0x7a120;
      EXPECT_AT(va, LOAD_STATUS(va), ==, KILLED);
    }
}

// Every power of two from the end of the user half up.  (Pitfall 25.)
void test_MAXVAplus(void) {
  for (uint64 va = MAXVA; va != 0; va <<= 1) {
    EXPECT_AT(va, STORE_STATUS(va), ==, KILLED);
    EXPECT_AT(va, LOAD_STATUS(va + 8), ==, KILLED);
    EXPECT_AT(va, JUMP_STATUS(va), ==, KILLED);
  }
}

static uint64 text_sum(void) {
  uint64 sum = 0;
  const uint64 *word = (const uint64 *)PGROUNDDOWN((uint64)&test_nowrite);
  for (int i = 0; i < 512; i++) sum = stamp(sum, word[i]);
  return sum;
}

// Stores to code, constants and what belongs to no program.  (Pitfall 26.)
void test_nowrite(void) {
  uint64 before = text_sum();
  const uint64 own[] = {0, (uint64)&test_nowrite, (uint64)text_sum, (uint64)constant_bytes};
  for (int i = 0; i < COUNT_OF(own); i++) {
    EXPECT_AT(own[i], LOAD_STATUS(own[i]), ==, 0);
    EXPECT_AT(own[i], STORE_STATUS(own[i]), ==, KILLED);
  }
  for (int i = 0; i < bad_address_count; i++)
    EXPECT_AT(bad_addresses[i], STORE_STATUS(bad_addresses[i]), ==, KILLED);
  EXPECT(text_sum(), ==, before);
  EXPECT(strcmp(constant_bytes, "constants stay as they are"), ==, 0);
}

// Data is not code.  (Pitfall 26.)
void test_jump(void) {
  static int in_bss;
  uint64 heap = (uint64)page_break();
  grow(2 * PGSIZE);
  *(uint *)heap = 0x00008067;  // ret
  in_bss = 0x00008067;
  int on_stack = 0x00008067;
  own_pages(&on_stack, 4);
  const uint64 targets[] = {heap, heap + PGSIZE, (uint64)&in_bss, (uint64)&on_stack,
                            stack_page() - PGSIZE, (uint64)sbrk(0)};
  for (int i = 0; i < COUNT_OF(targets); i++)
    EXPECT_AT(targets[i], JUMP_STATUS(targets[i]), ==, KILLED);
  for (int i = 0; i < bad_address_count; i++)
    EXPECT_AT(bad_addresses[i], JUMP_STATUS(bad_addresses[i]), ==, KILLED);
}

// --- The stack and its guard ---

static uint64 eat_stack(uint64 depth) {
  volatile char frame[256];
  frame[0] = depth;
  return depth == 0 ? frame[0] : eat_stack(depth - 1) + frame[0];
}

static void overflow(void *unused) {
  (void)unused;
  eat_stack(1000);
}

// The page below the stack: no access, and a runaway recursion ends there.
void test_stacktest(void) {
  uint64 stack = stack_page();
  EXPECT(LOAD_STATUS(stack), ==, 0);
  EXPECT(STORE_STATUS(stack), ==, 0);
  EXPECT(LOAD_STATUS(stack - 1), ==, KILLED);
  EXPECT(STORE_STATUS(stack - 1), ==, KILLED);
  EXPECT(LOAD_STATUS(stack - PGSIZE), ==, KILLED);
  EXPECT(child_status(overflow, 0), ==, KILLED);
}

// The guard to system calls, as source, destination and string; and buffers
// that cross into it from either side.  (Pitfalls 11, 24.)
void test_guard(void) {
  int ends[2];
  struct stat *st;
  EXPECT(pipe(ends), ==, 0);
  EXPECT(write(ends[1], "0123456789", 10), ==, 10);
  uint64 guard = stack_page() - PGSIZE;
  int fd = must_open("file", O_CREATE | O_RDWR);
  static const int offsets[] = {0, 8, 2048, PGSIZE - 8};
  for (int i = 0; i < COUNT_OF(offsets); i++) {
    char *at = (char *)guard + offsets[i];
    st = (struct stat *)at;
    EXPECT_AT(at, write(fd, at, 8), ==, -1);
    EXPECT_AT(at, read(ends[0], at, 8), ==, -1);
    EXPECT_AT(at, fstat(fd, st), ==, -1);
    EXPECT_AT(at, open(at, O_RDONLY), ==, -1);
    EXPECT_AT(at, pipe((int *)at), ==, -1);
  }
  EXPECT(write(fd, (char *)stack_page() - GUARDPAGES * PGSIZE - 8, 8), ==, 8);
  EXPECT(write(fd, (char *)guard + PGSIZE - 4, 8), ==, -1);
  for (int i = 1; i <= GUARDPAGES; i++) {
    EXPECT_AT(i, LOAD_STATUS(stack_page() - i * PGSIZE), ==, KILLED);
    EXPECT_AT(i, STORE_STATUS(stack_page() - i * PGSIZE), ==, KILLED);
  }
}

// A frame larger than the stack must end in the guard, whichever of its bytes is touched
// first, and not in the data below.  (Pitfall 82.)
static void __attribute__((noinline)) frame_of_12000(void *unused) {
  volatile char frame[12000];
  (void)unused;
  frame[0] = 42;
  (void)frame[0];
}

static void __attribute__((noinline)) frame_of_32k(void *unused) {
  volatile char frame[32 * 1024];
  (void)unused;
  frame[0] = 42;
  (void)frame[0];
}

void test_guard_frames(void) {
  static volatile char below[10 * PGSIZE] = {1};  // so that there is data to step on
  EXPECT(below[0], ==, 1);
  EXPECT(child_status(frame_of_12000, 0), ==, KILLED);
  EXPECT(child_status(frame_of_32k, 0), ==, KILLED);
}

// The stack pointer is the program's to set: it says nothing about which pages
// are stack.  With it high up in the heap or in the guard itself, the guard stays
// out of reach and the heap below sp is an ordinary heap.  (Pitfall 24.)
static void guard_with_sp(void *sp) {
  uint64 guard = stack_page() - PGSIZE;
  asm volatile(
      "mv s2, sp\n"
      "mv sp, %0\n"
      "sb zero, 0(%1)\n"
      "mv sp, s2\n"
      :
      : "r"(sp), "r"(guard + 16)
      : "s2", "memory");
}

static void heap_with_sp(void *sp) {
  asm volatile(
      "mv s2, sp\n"
      "mv sp, %0\n"
      "sb zero, -2000(sp)\n"
      "sb zero, 2000(sp)\n"
      "mv sp, s2\n"
      :
      : "r"(sp)
      : "s2", "memory");
}

void test_guard_sp(void) {
  char *heap = page_break();
  grow(8 * PGSIZE);
  uint64 guard = stack_page() - PGSIZE;
  const uint64 pointers[] = {(uint64)heap + 4 * PGSIZE, guard, guard + 32, guard + PGSIZE,
                             guard - PGSIZE, 0};
  for (int i = 0; i < COUNT_OF(pointers); i++)
    EXPECT_AT(pointers[i], child_status(guard_with_sp, (void *)pointers[i]), ==, KILLED);
  EXPECT(child_status(heap_with_sp, heap + 4 * PGSIZE), ==, 0);
  EXPECT(child_status(heap_with_sp, heap + 4 * PGSIZE + 2048), ==, 0);
}
