// How processes begin.
#include "arch/trapframe.h"
#include "kernel/atomic.h"
#include "lib/assert.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/vm.h"
#include "proc/files.h"
#include "proc/job.h"
#include "proc/proc.h"
#include "proc/sched.h"
#include "proc/table.h"
#include "proc/thread.h"

struct proc *init_proc;

void start(struct proc *p) {
  atomic_store_release(&p->state, READY);
  sched_enqueue(p);
}

int fork(void) {
  struct proc *p = myproc(), *parent = p->leader;
  struct proc *child = proc_alloc();
  if (child == NULL) return -EAGAIN;
  int err = vm_fork(p->vm, &child->vm);
  if (err) goto no_vm;
  err = files_fork(p->files, &child->files);
  if (err) goto no_files;

  *child->tf = *p->tf;
  child->tf->a[0] = 0;
  memcpy(child->name, p->name, sizeof(child->name));
  child->hart = atomic_load(&p->hart);
  int pid = child->pid;
  acquire(&parent->family);
  if (unlikely(atomic_load(&parent->stop) & STOP_PROCESS)) {  // I16
    release(&parent->family);
    err = -EINTR;
    goto ending;
  }
  child->parent = parent;
  child->from_init = parent == init_proc;
  list_push_back(&parent->children, &child->sibling);
  if (unlikely(job_stillborn(parent))) stop(child, STOP_PROCESS);
  release(&parent->family);
  start(child);
  return pid;

ending:
  files_put(child->files);
  child->files = NULL;
no_files:
  vm_put(child->vm);
  child->vm = NULL;
no_vm:
  proc_free(child);
  return err;
}

void proc_start_init(void (*body)(void)) {
  struct proc *p = proc_alloc();
  if (p == NULL) panic("no memory for the first process");
  ASSERT(p->pid == 1);
  p->context.s[1] = (uint64)body;
  strcpy_padded(p->name, "init", sizeof(p->name));
  init_proc = p;
  start(p);
}
