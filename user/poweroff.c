// poweroff [status]: switches the machine off; QEMU exits with the status.
#include "kernel/types.h"
#include "user/user.h"

int main(int argc, char **argv) {
  poweroff(argc > 1 ? atoi(argv[1]) : 0);
  fprintf(2, "poweroff: the machine did not switch off\n");
  return 1;
}
