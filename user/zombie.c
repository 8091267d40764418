// zombie: leaves a child that has ended and is not waited for, for half a second;
// then init has to take it in.
#include "kernel/types.h"
#include "user/user.h"

int main(void) {
  int child = fork();
  if (child > 0) sleep(5);
  return child < 0;
}
