// jobtest NAME: processes for those who type ^C and ^P at the console (promptcheck.py).
//
//   forkers   some processes that always have a child in the making or asleep
//   tree      asleep, three generations of four each
//   bomb      every process forks for as long as it can
//   crowd N   N children, asleep
//   foreign   a shell that had a child before it became one
//
// Each goes on for ever and says so once it has begun; but foreign ends, with status 0 if
// the shell has waited for its own command.
#include "kernel/types.h"
#include "kernel/fcntl.h"
#include "user/user.h"

enum { LONG = 100000, FORKERS = 8 };

static void __attribute__((noreturn)) rest(void) {
  for (;;) sleep(LONG);
}

// A child that is born after its parent was asked to end would sleep on.
static void forker(void) {
  for (;;) {
    int pid = fork();
    if (pid == 0) rest();
    if (pid < 0) continue;
    kill(pid);
    wait(0);
  }
}

static void forkers(void) {
  for (int i = 0; i < FORKERS; i++)
    if (fork() == 0) forker();
}

static void tree(int depth) {
  for (int i = 0; depth > 0 && i < 4; i++)
    if (fork() == 0) {
      tree(depth - 1);
      rest();
    }
}

static void bomb(void) {
  for (;;)
    if (fork() < 0) sleep(1);
}

static void crowd(int n) {
  while (n-- > 0)
    if (fork() == 0) rest();
}

static void become_shell(void) {
  static char *argv[] = {"sh", "script", 0};
  if (fork() == 0) exit(0);
  sleep(2);
  exec("/sh", argv);
  exit(1);
}

static int foreign(void) {
  static const char script[] = "sleep 20\nexit $?\n";
  int fd = open("script", O_CREATE | O_WRONLY | O_TRUNC), status = 1;
  write(fd, script, sizeof(script) - 1);
  close(fd);
  int began = uptime();
  if (fork() == 0) become_shell();
  wait(&status);
  unlink("script");
  return status != 0 || uptime() - began < 20;
}

int main(int argc, char **argv) {
  const char *name = argc > 1 ? argv[1] : "";
  if (strcmp(name, "forkers") == 0) forkers();
  else if (strcmp(name, "tree") == 0) tree(3);
  else if (strcmp(name, "crowd") == 0) crowd(argc > 2 ? atoi(argv[2]) : 1);
  else if (strcmp(name, "foreign") == 0) return foreign();
  else if (strcmp(name, "bomb") != 0) return 2;
  printf("jobtest %s has begun\n", name);
  if (strcmp(name, "bomb") == 0) bomb();
  rest();
}
