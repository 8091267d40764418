// execstorm: programs that start programs.  Arguments lie in pages that are shared
// with the parent, their ends in pages that nobody touched; the program at the
// other end checks each letter, and that its memory is new.
#include "stress/stress/stress.h"

#define EXTRA_MOST  8   // arguments beside the four that are always there
#define LENGTH      280

static uint64 never_written[PAGE_WORDS];

// Argument i of the question `number`: its length, and its letters.
static int length_of(int number, int i) { return (number / (i + 3) + i * 37) % LENGTH; }
static char letter_of(int number, int i, int at) { return 'A' + (number + i * 5 + at * 11) % 53; }

// stress --child NUMBER ANSWER ARGUMENT...: exits with the answer.
int exec_child(int argc, char **argv) {
  if (argc < 4 || atoi(argv[2]) % 97 != atoi(argv[3])) return 98;
  int number = atoi(argv[2]);
  if (argc - 4 != number % (EXTRA_MOST + 1) || argv[argc] != 0) return 98;
  for (int i = 0; i < argc - 4; i++) {
    if (strlen(argv[4 + i]) != (uint)length_of(number, i)) return 98;
    for (int k = 0; argv[4 + i][k]; k++)
      if (argv[4 + i][k] != letter_of(number, i, k)) return 98;
  }
  page_check(never_written, PAGE_WORDS, 0, 0, 0);
  uint64 *fresh = (uint64 *)sbrk(2 * PGSIZE);
  if (fresh == (uint64 *)SBRK_ERROR) return 99;
  fresh = (uint64 *)PGROUNDUP((uint64)fresh);
  page_check(fresh, PAGE_WORDS, 0, 0, 0);
  return atoi(argv[3]);
}

// The arguments, in four fresh pages: the last string ends with the first page,
// and its NUL is in the second, which is never touched.  The array lies across
// the border of the third and fourth, or ends with the third and has its null in
// the fourth.
static char **lay_out(char *base, int number, const char *question, const char *answer) {
  int extra = number % (EXTRA_MOST + 1), count = 4 + extra;
  char **argv = (char **)(base + 3 * PGSIZE) - below(count + 1);
  char *end = base + PGSIZE;
  for (int i = extra - 1; i >= 0; i--) {
    int length = length_of(number, i);
    char *at = end - length;
    for (int k = 0; k < length; k++) at[k] = letter_of(number, i, k);
    if (end != base + PGSIZE) *end = 0;
    argv[4 + i] = at;
    end = at - 1 - below(16);
  }
  argv[0] = "stress";
  argv[1] = "--child";
  argv[2] = strcpy(base, question);
  argv[3] = strcpy(base + 16, answer);
  return argv;
}

void execstorm_operation(void) {
  int number = below(1 << 30), status = 0;
  char question[12], answer[12];
  decimal(question, number);
  decimal(answer, number % 97);
  char *base = align_break();
  CHECK(sbrk(4 * PGSIZE) == base, "no room for arguments");
  char **argv = lay_out(base, number, question, answer);
  int pid = descend();
  if (pid == 0) {
    page_stamp(never_written, PAGE_WORDS, me.owner, 0, 1);
    int bad = below(8) == 0;
    exec(bad ? PLACE : "/stress", argv);
    page_check(never_written, PAGE_WORDS, me.owner, 0, 1);
    exit(bad ? number % 97 : 97);
  }
  sbrk(-4 * PGSIZE);
  if (pid < 0) return;
  CHECK(wait(&status) == pid || memory_is_short(), "the child that execs is not there");
  int excused = status == 97 || status == 99 || status == KILLED || status == 0;
  if (excused && memory_is_short()) return;
  CHECK(status == number % 97, "exec of %d gave status %d", number, status);
}
