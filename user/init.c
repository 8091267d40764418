// The first program: gives everybody a console, keeps a shell running and takes
// in the processes whose parents are gone.
//
// With a console it never ends, whatever fails: the kernel has no other parent for orphans.
#include "kernel/types.h"
#include "kernel/fcntl.h"
#include "kernel/stat.h"
#include "user/user.h"

enum { STATISTICS = 2 };  // major device number
enum { SECOND = 10 };                  // ticks

// The kernel has made /console or, where that cannot be, given us the console itself.
static void open_console(void) {
  struct stat st;
  if (fstat(0, &st) == 0) return;
  if (open("console", O_RDWR) != 0) exit(1);  // of which the kernel tells
  dup(0);
  dup(0);
}

static void make_statistics(void) {
  int fd = open("statistics", O_RDONLY);
  if (fd >= 0)
    close(fd);
  else
    mknod("statistics", STATISTICS, 0);
}

static int start_shell(void) {
  static char *argv[] = {"sh", 0};
  printf("init: starting sh\n");
  int pid = fork();
  if (pid < 0) printf("init: cannot fork\n");
  if (pid != 0) return pid;
  exec("sh", argv);
  printf("init: cannot run sh\n");
  exit(1);
}

// Waits until this child ends, and for all orphans that end before.
static void wait_for(int child) {
  int ended;
  do ended = wait(0);
  while (ended >= 0 && ended != child);
}

int main(void) {
  open_console();
  make_statistics();
  for (;;) {
    int started = uptime();
    int shell = start_shell();
    if (shell > 0) wait_for(shell);
    // Shells that cannot start or live must not flood the console.
    if (uptime() - started < 2) sleep(SECOND);
  }
}
