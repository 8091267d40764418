// Who sees what: a write shows in the process that made it and nowhere else,
// however the others came to share the page and in whatever order they write.
#include "kernel/fcntl.h"
#include "user/cowtest/cowtest.h"

enum { PAGES = 8 };

static char *filled_pages(char c) {
  char *base = sbrk(PAGES * PGSIZE);
  CHECK(base != SBRK_ERROR, "sbrk failed");
  memset(base, c, PAGES * PGSIZE);
  return base;
}

static void must_be_filled(const char *base, char c) {
  for (int i = 0; i < PAGES * PGSIZE; i++)
    CHECK(base[i] == c, "byte %d is %c instead of %c", i, base[i], c);
}

// Each generation forks the next before it writes, and writes before that ends,
// so every page is copied from one that is itself shared.
static void generation(char *base, int n) {
  must_be_filled(base, 'a');
  if (n == 0) return;
  struct gate written;
  gate_make(&written);
  if (must_fork() == 0) {
    gate_wait(&written);
    gate_close(&written);
    generation(base, n - 1);
    exit(0);
  }
  memset(base, 'a' + n, PAGES * PGSIZE);
  gate_open(&written, 1);
  must_wait(0);
  must_be_filled(base, 'a' + n);
  gate_close(&written);
}

void generations(void) { generation(filled_pages('a'), 6); }

// A grandchild keeps what its parent shared with it after that parent is gone, and
// may write when the first of the three has written too.
void middle_exits(void) {
  char *base = filled_pages('m');
  struct gate go, done;
  gate_make(&go);
  gate_make(&done);
  if (must_fork() == 0) {
    if (must_fork() != 0) {
      memset(base, 'x', PAGES * PGSIZE / 2);
      exit(0);
    }
    gate_wait(&go);
    must_be_filled(base, 'm');
    memset(base, 'g', PAGES * PGSIZE);
    must_be_filled(base, 'g');
    gate_open(&done, 1);
    exit(0);
  }
  must_wait(0);
  must_be_filled(base, 'm');
  memset(base, 'f', PAGES * PGSIZE);
  gate_open(&go, 1);
  gate_wait(&done);
  must_be_filled(base, 'f');
}

// A parent that writes right after fork must not do so through a translation from
// before: the child would see it.
void parent_writes_first(void) {
  enum { ROUNDS = 200 };
  volatile int *page = (int *)filled_pages(0);
  for (int round = 1; round <= ROUNDS; round++) {
    *page = round;
    int pid = must_fork();
    if (pid == 0) {
      if (round % 2) sleep(0);
      int seen = *page;
      *page = -2;
      exit(seen != round);
    }
    *page = -round;
    must_wait(0);
    CHECK_EQ(*page, -round);
  }
}

static const int constant = 7;

static void store(void *at) { *(volatile char *)at = 1; }

static int text_or_constant_written(void *at) { return child_status(store, at) != -1; }

// Two sharers write the same pages at the same time, each one word of its own, and
// find in all other words what was there before: nobody copies a page that another
// one has begun to write.
static void write_own_word(long *base, int pages, int mine, long before) {
  enum { WORDS = PGSIZE / sizeof(long) };
  for (int page = 0; page < pages; page++) base[page * WORDS + WORDS - 1 - mine] = -1;
  for (int i = 0; i < pages * WORDS; i++)
    CHECK_EQ(base[i], i % WORDS == WORDS - 1 - mine ? -1 : before);
}

void writers_race(void) {
  enum { ROUNDS = 500, SHARED = 24 };
  long *base = (long *)sbrk(SHARED * PGSIZE);
  for (int round = 1; round <= ROUNDS; round++) {
    struct gate go;
    gate_make(&go);
    for (uint64 i = 0; i < SHARED * PGSIZE / sizeof(long); i++) base[i] = round;
    if (must_fork() == 0) {
      gate_wait(&go);
      write_own_word(base, SHARED, 0, round);
      exit(0);
    }
    gate_open(&go, 1);
    write_own_word(base, SHARED, 1, round);
    must_wait(0);
    gate_close(&go);
  }
}

// A break moved into a shared page and back gives zeros to who moved it; the other
// one keeps its bytes.
void shrink_inside_shared(void) {
  char *base = filled_pages('s');
  for (int child_shrinks = 0; child_shrinks < 2; child_shrinks++) {
    struct gate shrunk;
    gate_make(&shrunk);
    int child = must_fork() == 0;
    if (child == child_shrinks) {
      sbrk(-PGSIZE - 100);
      CHECK_EQ(base[(PAGES - 1) * PGSIZE - 101], 's');
      sbrk(PGSIZE + 100);
      for (int i = (PAGES - 1) * PGSIZE - 100; i < PAGES * PGSIZE; i++) CHECK_EQ(base[i], 0);
      gate_open(&shrunk, 1);
    } else {
      gate_wait(&shrunk);
      must_be_filled(base, 's');
    }
    if (child) exit(0);
    must_wait(0);
    gate_close(&shrunk);
    memset(base, 's', PAGES * PGSIZE);
  }
}

// What was read-only before fork is so afterwards, on both sides and further down.
void text_stays_constant(void) {
  void *text = (void *)(uint64)text_stays_constant;
  for (int i = 0; i < 3; i++) {
    if (must_fork() == 0) {
      int bad = text_or_constant_written(text) || text_or_constant_written((void *)&constant);
      int fds[2];
      CHECK(pipe(fds) == 0 && write(fds[1], "12345678", 8) == 8, "no pipe");
      bad |= read(fds[0], text, 4) != -1 || read(fds[0], (void *)&constant, 4) != -1;
      exit(bad);
    }
    must_wait(0);
    EXPECT_KILLED(store, text);
  }
  CHECK_EQ(*(volatile const int *)&constant, 7);
}

// exec drops the child's share of its parent's pages and nothing more.
void exec_leaves_parent(void) {
  char *base = filled_pages('e');
  for (int i = 0; i < 5; i++) {
    if (must_fork() == 0) {
      base[0] = 'c';
      exec("echo", (char *[]){"echo", "-n", 0});
      exit(1);
    }
    must_wait(0);
    must_be_filled(base, 'e');
  }
}

// More sharers than fit eight bits, all at once.
void many_sharers(void) {
  enum { SHARERS = 300 };
  char *base = filled_pages('s');
  struct gate go;
  gate_make(&go);
  for (int i = 0; i < SHARERS; i++) {
    if (must_fork() != 0) continue;
    gate_wait(&go);
    if (base[i % PAGES * PGSIZE] != 's') exit(1);
    base[0] = 'c';
    exit(base[0] != 'c' || base[1] != 's');
  }
  memset(base, 'p', PGSIZE);
  gate_open(&go, SHARERS);
  for (int i = 0; i < SHARERS; i++) must_wait(0);
  struct memstat before = memstat_now();
  memset(base, 'q', PAGES * PGSIZE);
  CHECK_EQ(GROWTH(before, cow_copies), 0);
  must_be_filled(base, 'q');
}

// User-mode writes across the borders of shared, untouched and absent pages.
void page_borders(void) {
  char *base = sbrk(4 * PGSIZE);
  base[0] = 1;
  base[2 * PGSIZE] = 3;  // the second and the fourth page stay lazy
  if (must_fork() == 0) {
    for (char *at = base; at < base + 4 * PGSIZE; at++) *at += 5;
    for (int i = 0; i < 4 * PGSIZE; i++)
      CHECK_EQ(base[i], i == 0 ? 6 : i == 2 * PGSIZE ? 8 : 5);
    EXPECT_KILLED(store, base + 4 * PGSIZE);
    exit(0);
  }
  must_wait(0);
  for (int i = 0; i < 4 * PGSIZE; i++)
    CHECK_EQ(base[i], i == 0 ? 1 : i == 2 * PGSIZE ? 3 : 0);
}

// ---- a program whose only segment is read, written and executed ------------

// Counts in its own text: 1 before it forks, then 2 more in the parent and 10 more
// in the child.  The child's count is its status, the parent's is its own count and
// 16 times the child's status.
asm(".section .rodata\n"
    ".option push\n"
    ".option norelax\n"  // it is to run elsewhere than where it is linked
    ".balign 8\n"
    "rwx_start:\n"
    "  lla s0, rwx_count\n"
    "  lw t0, 0(s0)\n  addi t0, t0, 1\n  sw t0, 0(s0)\n"
    "  li a7, 1\n  ecall\n"  // fork
    "  beqz a0, 1f\n"
    "  lw t0, 0(s0)\n  addi t0, t0, 2\n  sw t0, 0(s0)\n"
    "  addi a0, s0, 4\n  li a7, 3\n  ecall\n"  // wait
    "  lw a0, 0(s0)\n  lw t0, 4(s0)\n  slli t0, t0, 4\n  add a0, a0, t0\n"
    "  li a7, 2\n  ecall\n"  // exit
    "1: lw a0, 0(s0)\n  addi a0, a0, 10\n  sw a0, 0(s0)\n"
    "  li a7, 2\n  ecall\n"
    ".balign 8\n"
    "rwx_count: .word 0, 0\n"
    "rwx_end:\n"
    ".option pop\n"
    ".text\n");
extern const char rwx_start[], rwx_end[];

// The image: an ELF header and one program header, then the code, for address 0.
static int write_image(const char *path) {
  uint64 size = rwx_end - rwx_start;
  struct {
    uchar ident[16];
    ushort type, machine;
    uint version;
    uint64 entry, phoff, shoff;
    uint flags;
    ushort ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
    uint segment, rights;
    uint64 offset, vaddr, paddr, filesz, memsz, align;
  } head = {
      .ident = {0x7f, 'E', 'L', 'F', 2, 1, 1}, .type = 2, .machine = 243, .version = 1,
      .phoff = 64, .ehsize = 64, .phentsize = 56, .phnum = 1, .segment = 1, .rights = 7,
      .offset = sizeof(head), .filesz = size, .memsz = 2 * PGSIZE, .align = 8,
  };
  int fd = open(path, O_CREATE | O_WRONLY | O_TRUNC);
  if (fd < 0) return -1;
  int good = write(fd, &head, sizeof(head)) == sizeof(head) &&
             write(fd, rwx_start, size) == (int)size;
  close(fd);
  return good ? 0 : -1;
}

void writable_text(void) {
  CHECK_EQ(write_image("rwx.tmp"), 0);
  for (int i = 0; i < 3; i++) {
    if (must_fork() == 0) {
      exec("rwx.tmp", (char *[]){"rwx", 0});
      exit(1);
    }
    must_wait(3 + 16 * 11);
  }
  unlink("rwx.tmp");
}
