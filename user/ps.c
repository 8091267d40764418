// ps: the processes there are: number, parent, state (R running, r ready, S
// sleeping, Z ended), hart, size of the address space in KiB and program.
#include "kernel/types.h"
#include "kernel/param.h"
#include "kernel/procinfo.h"
#include "user/user.h"

static struct procinfo rows[NPROC];

int main(void) {
  int n = proclist(rows, NPROC);
  if (n < 0) {
    fprintf(2, "ps: cannot get the list\n");
    return 1;
  }
  printf("  PID  PPID S HART     KiB NAME\n");
  for (const struct procinfo *p = rows; p < rows + n; p++)
    printf("%5d %5d %c %4d %7ld %s\n", p->pid, p->ppid, p->state, p->hart, p->size / 1024, p->name);
  return 0;
}
