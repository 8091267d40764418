// What stress/disktest.py runs in a guest.
//
//   disktest commits     writers of 120 blocks at a time: groups as large as the log takes
//   disktest loop        two processes unlink /A/b and /B/a, of which each may name the
//                        other's parent
#include "kernel/types.h"
#include "kernel/fcntl.h"
#include "user/user.h"

enum { WRITERS = 4, ROUNDS = 10, UNLINKS = 3000, PIECE = 120 * 1024 };

static char piece[PIECE];

static void write_one(int writer) {
  char name[] = "writer-0";
  name[7] += writer;
  for (int i = 0; i < ROUNDS; i++) {
    int fd = open(name, O_CREATE | O_TRUNC | O_RDWR);
    if (fd < 0 || write(fd, piece, PIECE) != PIECE) {
      printf("disktest: no %s\n", name);
      exit(1);
    }
    close(fd);
  }
  unlink(name);
}

static void unlink_often(int which) {
  for (int i = 0; i < UNLINKS; i++) unlink(which ? "/B/a" : "/A/b");
}

// Runs `part` in n processes side by side -> 0 when all ended well.
static int in_each(int n, void (*part)(int)) {
  int worst = 0, status;
  for (int i = 0; i < n; i++) {
    int pid = fork();
    if (pid < 0) exit(1);
    if (pid > 0) continue;
    part(i);
    exit(0);
  }
  for (int i = 0; i < n; i++)
    if (wait(&status) < 0 || status != 0) worst = 1;
  return worst;
}

int main(int argc, char *argv[]) {
  if (argc == 2 && strcmp(argv[1], "commits") == 0) exit(in_each(WRITERS, write_one));
  if (argc == 2 && strcmp(argv[1], "loop") == 0) exit(in_each(2, unlink_often));
  fprintf(2, "usage: disktest commits | loop\n");
  exit(2);
}
