// Workers on processes: families that write the same pages apart, processes
// killed at any instant, and programs that start programs.
#include "stress/stress/stress.h"

// --- Families ---

#define FAMILY_MOST  256
#define DEEPEST      2  // generations below the worker

static struct {
  uint64 owner;
  uint64 generation;
} family[FAMILY_MOST];  // who wrote page i last, as far as this process can see
static uint64 *home;
static uint64 family_pages;

static void begin_family(void) {
  uint64 end = (uint64)sbrk(0);
  sbrk(PGROUNDUP(end) - end);
  family_pages = me.frames / 6;
  if (family_pages > FAMILY_MOST) family_pages = FAMILY_MOST;
  home = (uint64 *)sbrk(family_pages * PGSIZE);
  CHECK(home != (uint64 *)SBRK_ERROR, "no room for a family");
}

static void check_member(uint64 i) {
  page_check(home + i * PAGE_WORDS, PAGE_WORDS, family[i].owner, i, family[i].generation);
}

static void write_member(uint64 i) {
  family[i].owner = me.owner;
  page_stamp(home + i * PAGE_WORDS, PAGE_WORDS, me.owner, i, ++family[i].generation);
}

// A page with bytes that the kernel stores into it, in whatever state it is.
static void copy_into(uint64 i) {
  uint64 message[16];
  int ends[2];
  if (pipe(ends) < 0) return;
  family[i].owner = me.owner;
  page_stamp(home + i * PAGE_WORDS, PAGE_WORDS, me.owner, i, ++family[i].generation);
  memcpy(message, home + i * PAGE_WORDS, sizeof(message));
  int pid = descend();
  if (pid == 0) {
    memset(home + i * PAGE_WORDS, 0x11, sizeof(message));
    exit(0);
  }
  CHECK(write(ends[1], message, sizeof(message)) == sizeof(message), "a pipe took less");
  CHECK(read(ends[0], home + i * PAGE_WORDS, sizeof(message)) == sizeof(message), "and gave less");
  close(ends[0]);
  close(ends[1]);
  check_member(i);
  if (pid > 0) child_must_be_well(0);
}

static void some_writes(void) {
  for (uint64 n = below(family_pages / 2); n > 0; n--) write_member(below(family_pages));
}

static void check_family(void) {
  for (uint64 i = 0; i < family_pages; i++)
    if (family[i].generation) check_member(i);
}

static void branch(int depth) {
  int pid = descend();
  if (pid == 0) {
    if (below(2)) spin(3000);
    some_writes();
    if (depth < DEEPEST) branch(depth + 1);
    check_family();
    exit(0);
  }
  some_writes();
  if (pid > 0 && below(3) == 0) {
    spin(20000);
    CHECK(kill(pid) == 0, "a child that nobody waited for cannot be killed");
    child_must_be_well(1);
  } else if (pid > 0) {
    child_must_be_well(0);
  }
  check_family();
}

void forks_operation(void) {
  if (!home) begin_family();
  if (below(4)) branch(0);
  else copy_into(below(family_pages));
}

// --- Victims ---

// Grows, touches, forks, pipes and shrinks until it is killed; or for two seconds,
// should the worker die before it comes to that.
static void victim(uint64 pages) {
  int ends[2], end = uptime() + 2 * TICKS_A_SECOND;
  for (uint64 n = 1; uptime() < end; n++) {
    uint64 *at = (uint64 *)sbrk(pages * PGSIZE);
    for (uint64 i = 0; i < pages; i += 1 + below(3)) {
      page_stamp(at + i * PAGE_WORDS, PAGE_WORDS, me.owner, i, n);
      if (below(8) == 0) page_check(at + i * PAGE_WORDS, PAGE_WORDS, me.owner, i, n);
    }
    int pid = below(2) ? fork() : -1;
    if (pid == 0) {
      page_stamp(at, PAGE_WORDS, me.owner, 0, n + 1);
      exit(0);
    }
    if (pipe(ends) == 0) {
      write(ends[1], at, 512);
      read(ends[0], at + PAGE_WORDS, 512);
      close(ends[0]);
      close(ends[1]);
    }
    close(open("/", O_RDONLY));
    if (pid > 0) wait(0);
    sbrk(-(int)(pages * PGSIZE));
  }
  exit(KILLED);
}

// Several victims at once, over memory that is the worker's as well; they end
// when chance has it, and the worker's page is what it was.
void kills_operation(void) {
  static uint64 own[PAGE_WORDS];
  static uint64 round;
  int pids[3], made = 0;
  uint64 pages = me.frames / 16;
  page_stamp(own, PAGE_WORDS, me.owner, 0, ++round);
  for (; made < 3; made++) {
    int pid = descend();
    if (pid == 0) {
      page_stamp(own, PAGE_WORDS, me.owner, 1, round);
      victim(pages < 24 ? pages : 24);
    }
    if (pid < 0) break;
    pids[made] = pid;
    spin(5000);
  }
  spin(below(4) ? 30000 : 300000);
  for (int i = 0; i < made; i++) CHECK(kill(pids[i]) == 0, "a victim cannot be killed");
  for (int i = 0; i < made; i++) {
    int status = 0;
    CHECK(wait(&status) > 0 && status == KILLED, "a victim ended with %d", status);
  }
  page_check(own, PAGE_WORDS, me.owner, 0, round);
}

// --- Programs ---

static uint64 never_written[PAGE_WORDS];

// The stress at the other end: argv says "--child", a number, and the number as
// it is answered.  The memory of a new program is new.
int exec_child(int argc, char **argv) {
  if (argc != 4 || atoi(argv[2]) % 97 != atoi(argv[3])) return 98;
  page_check(never_written, PAGE_WORDS, 0, 0, 0);
  uint64 *fresh = (uint64 *)sbrk(2 * PGSIZE);
  if (fresh == (uint64 *)SBRK_ERROR) return 99;
  fresh = (uint64 *)PGROUNDUP((uint64)fresh);
  page_check(fresh, PAGE_WORDS, 0, 0, 0);
  return atoi(argv[3]);
}

static void decimal(char *text, int number) {
  char digits[12];
  int n = 0;
  do digits[n++] = '0' + number % 10;
  while ((number /= 10) > 0);
  while (n > 0) *text++ = digits[--n];
  *text = 0;
}

void execs_operation(void) {
  int number = below(1 << 30), status = 0;
  char question[12], answer[12];
  decimal(question, number);
  decimal(answer, number % 97);
  int pid = descend();
  if (pid < 0) return;
  if (pid == 0) {
    char *argv[] = {"stress", "--child", question, answer, 0};
    page_stamp(never_written, PAGE_WORDS, me.owner, 0, 1);
    int bad = below(8) == 0;
    exec(bad ? PLACE : "/stress", argv);
    page_check(never_written, PAGE_WORDS, me.owner, 0, 1);
    exit(bad ? number % 97 : 97);
  }
  CHECK(wait(&status) == pid, "the child that execs is not there");
  if ((status == 97 || status == KILLED) && memory_is_short()) return;
  CHECK(status == number % 97, "exec of %d gave status %d", number, status);
}
