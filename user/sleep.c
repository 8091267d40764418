// sleep ticks: waits; a tick is a tenth of a second.
#include "kernel/types.h"
#include "user/user.h"

int main(int argc, char **argv) {
  if (argc == 2) return sleep(atoi(argv[1])) < 0;
  fprintf(2, "usage: sleep ticks\n");
  return 1;
}
