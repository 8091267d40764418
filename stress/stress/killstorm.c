// killstorm: processes killed at any instant: in the middle of a fork, an exec, a
// fault, a pipe, a write to the disk.
#include "stress/stress/stress.h"

#define VICTIMS      3
#define LIFETIME     (2 * TICKS_A_SECOND)  // should nobody come to kill it
#define SHARED_FILE  9

static void fork_and_wait(uint64 *at, uint64 round) {
  int pid = fork();
  if (pid == 0) {
    page_stamp(at, PAGE_WORDS, me.owner, 0, round);
    exit(0);
  }
  if (pid > 0) wait(0);
}

static void through_pipe(uint64 *at) {
  int ends[2];
  if (pipe(ends) < 0) return;
  write(ends[1], at, 512);
  read(ends[0], at + PAGE_WORDS, 512);
  close(ends[0]);
  close(ends[1]);
}

// A file that all victims of the worker write: nobody knows what is in it.
static void through_disk(uint64 *at) {
  char name[NAME_MOST];
  own_name(name, "kill", SHARED_FILE);
  int fd = open(name, below(2) ? O_CREATE | O_RDWR : O_CREATE | O_TRUNC | O_RDWR);
  if (fd < 0) return;
  write(fd, at, 1 + below(PGSIZE));
  close(fd);
  if (below(4) == 0) unlink(name);
}

// The victim goes on as another program.
static void through_exec(uint64 pages, int end) {
  char text[4][12];
  char *argv[] = {"stress", "--victim", text[0], text[1], text[2], text[3], 0};
  decimal(text[0], me.slot);
  decimal(text[1], pages);
  decimal(text[2], end);
  decimal(text[3], below(1 << 30));
  exec(below(8) ? "/stress" : PLACE, argv);
}

// Grows, touches, forks, pipes, writes, execs and shrinks until it is killed; or
// until `end`, should the worker die before it comes to that.
static void victim(uint64 pages, int end) {
  for (uint64 n = 1; uptime() < end; n++) {
    uint64 *at = (uint64 *)align_break();
    if (sbrk(pages * PGSIZE) == SBRK_ERROR) continue;
    for (uint64 i = 0; i < pages; i += 1 + below(3)) {
      page_stamp(at + i * PAGE_WORDS, PAGE_WORDS, me.owner, i, n);
      if (below(8) == 0) page_check(at + i * PAGE_WORDS, PAGE_WORDS, me.owner, i, n);
    }
    uint64 choice = below(16);
    if (choice < 7) fork_and_wait(at, n + 1);
    else if (choice < 11) through_pipe(at);
    else if (choice < 12) through_disk(at);
    else if (choice < 14) through_exec(pages, end);
    else close(open("/", O_RDONLY));
    sbrk(-(int)(pages * PGSIZE));
  }
  exit(KILLED);
}

// stress --victim SLOT PAGES END SEED
int exec_victim(int argc, char **argv) {
  if (argc != 6) return 98;
  me.slot = atoi(argv[2]);
  me.report = -1;
  random_start(atoi(argv[5]));
  me.owner = new_owner();
  victim(atoi(argv[3]), atoi(argv[4]));
  return 98;
}

// Several victims at once, over memory that is the worker's as well; they end
// when chance has it, and the worker's page is what it was.
void killstorm_operation(void) {
  static uint64 own[PAGE_WORDS];
  static uint64 round;
  int pids[VICTIMS], made = 0;
  uint64 pages = me.frames / 16;
  page_stamp(own, PAGE_WORDS, me.owner, 0, ++round);
  for (; made < VICTIMS; made++) {
    int pid = descend();
    if (pid == 0) {
      page_stamp(own, PAGE_WORDS, me.owner, 1, round);
      victim(pages < 4 ? 4 : pages < 24 ? pages : 24, uptime() + LIFETIME);
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
