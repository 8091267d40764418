// pgtbl: shows its own page table: at the start, with a heap that was asked for,
// with pages of it touched, in a child that shares them, and after the child.
#include "kernel/types.h"
#include "kernel/riscv.h"
#include "user/user.h"

enum { PAGES = 600 };  // more than one leaf table covers

static int show(const char *when) {
  printf("-- %s\n", when);
  if (vmprint() == 0) return 0;
  fprintf(2, "pgtbl: cannot print the page table\n");
  return 1;
}

int main(void) {
  int bad = show("at the start");
  char *heap = sbrk(PAGES * PGSIZE);
  if (heap == SBRK_ERROR) {
    fprintf(2, "pgtbl: sbrk failed\n");
    return 1;
  }
  bad |= show("600 pages asked for, none touched");
  heap[0] = 1;
  heap[(PAGES - 1) * PGSIZE] = 1;
  bad |= show("the first and the last of them written");

  int status = 0;
  int child = fork();
  if (child == 0) {
    bad = show("in a child: shared pages are not writable");
    heap[0] = 2;
    return bad | show("in the child: the first of the pages written, so copied");
  }
  if (child < 0) fprintf(2, "pgtbl: cannot fork\n");
  if (child < 0 || wait(&status) < 0 || status != 0) bad = 1;
  return bad | show("in the parent, after the child");
}
