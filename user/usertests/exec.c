// exec: arguments, programs good and bad, and a caller that survives failure.
#include "user/usertests/ut.h"

static char *const self = "/usertests";

// --- Arguments that arrive ---

// A number that says which arguments somebody got.
static int args_sum(int argc, char **argv) {
  uint64 sum = argc;
  for (int i = 0; i < argc; i++) {
    for (const char *p = argv[i]; *p; p++) sum = stamp(sum, *p);
    sum = stamp(sum, i);
  }
  return (sum & 0x7fffff) | 0x1000;
}

// In the new program.  (Interface: strings and argv each aligned to 16.)
int exec_helper(int argc, char **argv) {
  if (argv[argc] != 0 || (uint64)argv % 16 != 0) return 3;
  for (int i = 0; i < argc; i++)
    if ((uint64)argv[i] % 16 != 0) return 4;
  return argc == 1 ? 0 : args_sum(argc, argv);
}

// exec in a child: the program's status; EXEC_FAILED when exec returned -1.
#define EXEC_FAILED  50

static int exec_status(const char *path, char **argv) {
  if (must_fork() != 0) return wait_status();
  EXPECT(exec(path, argv), ==, -1);
  exit(EXEC_FAILED);
}

// echo's output ends up where descriptor 1 was put before.
void test_exectest(void) {
  static char seen[32];
  char *argv[] = {"echo", "one", "two  three", "", "4", 0};
  if (must_fork() == 0) {
    close(1);
    if (open("out", O_CREATE | O_WRONLY) != 1) exit(1);
    exec("/echo", argv);
    exit(2);
  }
  EXPECT(wait_status(), ==, 0);
  int fd = must_open("out", O_RDONLY);
  EXPECT(read(fd, seen, sizeof(seen) - 1), ==, 18);
  EXPECT(strcmp(seen, "one two  three  4\n"), ==, 0);
}

static char big[2 * PGSIZE];

// More than the stack page holds is refused, in one string or in many; what fits
// with room to run arrives.
void test_bigargtest(void) {
  char *argv[MAXARG] = {EXEC_HELPER};
  memset(big, 'b', sizeof(big) - 1);
  static const struct {
    int strings, length, fits;
  } cases[] = {{1, 2000, 1}, {30, 60, 1},   {1, 4096, 0}, {1, 4095, 0},
               {2, 2048, 0}, {30, 140, 0}, {1, 8000, 0}, {3, 700, 1}};
  for (int i = 0; i < COUNT_OF(cases); i++) {
    int n = cases[i].strings;
    for (int k = 1; k <= n; k++) argv[k] = big + sizeof(big) - 1 - cases[i].length;
    argv[n + 1] = 0;
    int want = cases[i].fits ? args_sum(n + 1, argv) : EXEC_FAILED;
    EXPECT_AT(i, exec_status(self, argv), ==, want);
  }
}

// As many entries as there may be, and one more; strings, arrays and paths that
// end at the last byte of memory, or would go past it.  (Pitfall 36.)
void test_exec_args(void) {
  static char *many[MAXARG + 2];
  static char path[MAXPATH + 2];
  for (int i = 0; i < MAXARG + 1; i++) many[i] = i ? "x" : EXEC_HELPER;
  EXPECT(exec_status(self, many), ==, EXEC_FAILED);
  many[MAXARG] = 0;
  EXPECT(exec_status(self, many), ==, EXEC_FAILED);
  many[MAXARG - 1] = 0;
  EXPECT(exec_status(self, many), ==, args_sum(MAXARG - 1, many));

  char *base = page_break();
  grow(PGSIZE);
  char *end = base + PGSIZE;
  char *at_end[] = {EXEC_HELPER, end - 6, 0};
  memset(end - 6, 'e', 6);
  EXPECT(exec_status(self, at_end), ==, EXEC_FAILED);
  end[-1] = 0;
  EXPECT(exec_status(self, at_end), ==, args_sum(2, at_end));

  char **array = (char **)end - 3;
  array[0] = EXEC_HELPER;
  array[1] = array[2] = "y";
  EXPECT(exec_status(self, array), ==, EXEC_FAILED);
  array[2] = 0;
  EXPECT(exec_status(self, array), ==, args_sum(2, array));

  for (int over = -1; over < 1; over++) {  // MAXPATH counts the NUL
    int pad = MAXPATH + over - strlen(self);
    memset(path, '/', pad);
    strcpy(path + pad, self);
    EXPECT_AT(over, exec_status(path, at_end), ==, over < 0 ? args_sum(2, at_end) : EXEC_FAILED);
  }
}

// Path, array and strings in pages never touched, or across the border to one.
// (Pitfalls 28, 29, 34.)
void test_exec_lazy(void) {
  char *base = page_break(), *border = base + PGSIZE;
  grow(4 * PGSIZE);
  char *empty[] = {EXEC_HELPER, border + PGSIZE + 5, 0};
  EXPECT(exec_status(self, empty), ==, args_sum(2, (char *[]){EXEC_HELPER, ""}));
  EXPECT(exec_status(self, (char **)(border + PGSIZE)), ==, args_sum(0, 0));
  EXPECT(exec_status(border + PGSIZE, empty), ==, EXEC_FAILED);

  memcpy(border - 10, self, 10);  // its NUL is the untouched page's
  char **array = (char **)(base + PGSIZE - 16 - 32);
  array[0] = EXEC_HELPER;
  array[1] = border - 4;
  EXPECT(strlen(self), ==, 10);
  EXPECT(exec_status(border - 10, array), ==, args_sum(2, (char *[]){EXEC_HELPER, "ests"}));

  shrink(4 * PGSIZE);
  grow(4 * PGSIZE);
  array = (char **)border - 2;  // the array's null is the untouched page's
  array[0] = EXEC_HELPER;
  array[1] = "z";
  EXPECT(exec_status(self, array), ==, args_sum(2, array));
}

// --- Programs made by hand ---

#define CODE_AT   256  // offset in the file
#define IMAGE     512
#define EH_PHOFF  32
#define EH_PHNUM  56
#define PH(n)     (64 + 56 * (n))
#define PH_FLAGS   4
#define PH_OFFSET  8
#define PH_VADDR   16
#define PH_FILESZ  32
#define PH_MEMSZ   40

static uint8 image[IMAGE];

static void put(int at, int bytes, uint64 value) {
  for (int i = 0; i < bytes; i++) image[at + i] = value >> (8 * i);
}

static void put_segment(int n, uint flags, uint64 vaddr, uint64 filesz, uint64 memsz) {
  put(PH(n), 4, 1);
  put(PH(n) + PH_FLAGS, 4, flags);
  put(PH(n) + PH_OFFSET, 8, CODE_AT);
  put(PH(n) + PH_VADDR, 8, vaddr);
  put(PH(n) + PH_VADDR + 8, 8, vaddr);
  put(PH(n) + PH_FILESZ, 8, filesz);
  put(PH(n) + PH_MEMSZ, 8, memsz);
  put(PH(n) + PH_MEMSZ + 8, 8, PGSIZE);
}

// A program of one segment at 0 that makes `status` its exit status, after it
// stored and loaded it through the last byte of its first page, if it can write.
static void image_make(int status, uint flags, uint64 memsz) {
  static const uint with_store[] = {0x000012b7, 0xfea28fa3, 0xfff2c503};
  int at = CODE_AT;
  memset(image, 0, sizeof(image));
  memcpy(image, "\x7f" "ELF\x02\x01\x01", 7);
  put(16, 2, 2);        // executable
  put(18, 2, 243);      // for RISC-V
  put(20, 4, 1);
  put(EH_PHOFF, 8, PH(0));
  put(52, 2, 64);
  put(54, 2, 56);
  put(EH_PHNUM, 2, 1);
  put_segment(0, flags, 0, 64, memsz);
  put(at, 4, 0x00000513 | (uint)status << 20);  // li a0, status
  if (flags & 2)  // lui t0, 1; sb a0, -1(t0); lbu a0, -1(t0)
    for (int i = 0; i < COUNT_OF(with_store); i++) put(at += 4, 4, with_store[i]);
  put(at + 4, 4, 0x00200893);  // li a7, 2
  put(at + 8, 4, 0x00000073);  // ecall
}

static void image_write(const char *path, int bytes) {
  int fd = must_open(path, O_CREATE | O_TRUNC | O_WRONLY);
  EXPECT(write(fd, image, bytes), ==, bytes);
  close(fd);
}

static int image_status(int bytes) {
  char *argv[] = {"hand", 0};
  image_write("hand", bytes);
  return exec_status("hand", argv);
}

// Headers that no program may have: one field of a good one changed.  (Pitfall 37.)
static const struct {
  int at, bytes;
  uint64 value;
} spoilers[] = {
    {0, 1, 'E'},
    {3, 1, 'f'},
    {PH(0) + PH_VADDR, 8, 16},                     // not at a page
    {PH(0) + PH_VADDR, 8, -PGSIZE},                // ends at 0 or beyond
    {PH(0) + PH_VADDR, 8, USERTOP},
    {PH(0) + PH_VADDR, 8, USERTOP - PGSIZE},       // no room for the stack
    {PH(0) + PH_VADDR, 8, 1UL << 63},
    {PH(0) + PH_VADDR, 8, 0xffffffff80000000UL},
    {PH(0) + PH_MEMSZ, 8, 63},                     // less than its file part
    {PH(0) + PH_MEMSZ, 8, 0},
    {PH(0) + PH_MEMSZ, 8, USERTOP},
    {PH(0) + PH_MEMSZ, 8, USERTOP + 1},
    {PH(0) + PH_MEMSZ, 8, ~0UL},
    {PH(0) + PH_MEMSZ, 8, -PGSIZE},
    {PH(0) + PH_FILESZ, 8, 1UL << 62},
    {PH(0) + PH_OFFSET, 8, IMAGE},                 // past the end of the file
    {PH(0) + PH_OFFSET, 8, IMAGE - 8},
    {PH(0) + PH_OFFSET, 8, -8},
    {PH(0) + PH_OFFSET, 8, 1UL << 32 | CODE_AT},
    {EH_PHOFF, 8, IMAGE},
    {EH_PHOFF, 8, -32},
    {EH_PHOFF, 8, 1UL << 40},
    {EH_PHNUM, 2, 0xffff},
};

void test_exec_elf(void) {
  image_make(33, 5, 64);
  EXPECT(image_status(IMAGE), ==, 33);
  for (int i = 0; i < COUNT_OF(spoilers); i++) {
    image_make(33, 5, 64);
    put(spoilers[i].at, spoilers[i].bytes, spoilers[i].value);
    EXPECT_AT(i, image_status(IMAGE), ==, EXEC_FAILED);
  }
  static const int lengths[] = {0, 1, 4, 63, 64, PH(1) - 1, PH(1), CODE_AT, CODE_AT + 63};
  image_make(33, 5, 64);
  for (int i = 0; i < COUNT_OF(lengths); i++)
    EXPECT_AT(lengths[i], image_status(lengths[i]), ==, EXEC_FAILED);

  image_make(34, 5, 64);  // two segments on one page
  put(EH_PHNUM, 2, 2);
  put_segment(1, 6, 0, 64, 64);
  EXPECT(image_status(IMAGE), ==, EXEC_FAILED);
  put(PH(1), 4, 0x70000003);  // not for loading, so not looked at
  put(PH(1) + PH_VADDR, 8, 12345);
  EXPECT(image_status(IMAGE), ==, 34);

  image_make(35, 7, 100);  // all rights in one segment; bytes past its bss
  EXPECT(image_status(IMAGE), ==, 35);
  image_make(36, 7, 5 * PGSIZE);
  EXPECT(image_status(IMAGE), ==, 36);
  image_make(37, 7, 64);
  put(PH(0) + PH_FLAGS, 4, 5);  // the same, but the segment says read-only
  EXPECT(image_status(IMAGE), ==, KILLED);
}

long exec_marked(const char *path, char **argv);  // registers.S
extern char exec_probe[], exec_probe_end[];

// A program finds nothing in its registers of the one that it replaces.
void test_exec_registers(void) {
  int bytes = exec_probe_end - exec_probe;
  EXPECT(bytes, <=, IMAGE - CODE_AT);
  image_make(0, 5, bytes);
  put_segment(0, 5, 0, bytes, bytes);
  memmove(image + CODE_AT, exec_probe, bytes);
  image_write("probe", IMAGE);
  char *argv[] = {"probe", 0};
  if (must_fork() == 0) exec_marked("probe", argv);
  EXPECT(wait_status(), ==, 40);
}

// Different programs at the same address, again and again on every hart: each
// runs its own code.  (Pitfall 40.)
void test_exec_code(void) {
  char name[8];
  for (int i = 0; i < 4; i++) {
    image_make(60 + i, 5, 64);
    image_write(name_of(name, "prog", i), IMAGE);
  }
  for (int w = 0; w < 4; w++) {
    if (must_fork() != 0) continue;
    char *argv[] = {"prog", 0};
    for (int i = 0; i < 40; i++) {
      int which = (w + i) % 4;
      EXPECT_AT(i, exec_status(name_of(name, "prog", which), argv), ==, 60 + which);
    }
    exit(0);
  }
  join_all(4);
}

// What cannot be executed is refused, and the caller has all it had: memory,
// break, files, directory.  (Pitfall 34.)
void test_exec_fails(void) {
  static const char *const paths[] = {"nothing", "/", ".",  "empty",   "text",
                                      "/console", "", "text/x", "no/such", "dir"};
  char *argv[] = {"x", "y", 0};
  char *base = page_break();
  grow(8 * PGSIZE);
  mark_pages(base, 8, 1);
  file_make("empty", 0, 0);
  file_make("text", 9000, 1);
  EXPECT(mkdir("dir"), ==, 0);
  int fd = must_open("text", O_RDONLY);
  for (int round = 0; round < 5; round++)
    for (int i = 0; i < COUNT_OF(paths); i++) {
      EXPECT_AT(i, exec(paths[i], argv), ==, -1);
      EXPECT_AT(i, mark_flaw(base, 8, 1), ==, -1);
      EXPECT_AT(i, sbrk(0), ==, base + 8 * PGSIZE);
      EXPECT_AT(i, size_of(fd), ==, 9000);
      EXPECT_AT(i, exists("dir"), ==, 1);
    }
}
