// How processes end: exit, wait and kill.
//
// Lock: FAMILY, each parent's own, for who its children are and which of them have
// ended.  A child's parent may change to init at any time before the child has that
// lock; init's lock comes before the one of a parent that gives its children away.
#include "arch/csr.h"
#include "arch/ipi.h"
#include "arch/power.h"
#include "lib/assert.h"
#include "lib/atomic.h"
#include "lib/errno.h"
#include "lib/printf.h"
#include "mm/tlb.h"
#include "mm/usercopy.h"
#include "mm/vm.h"
#include "proc/files.h"
#include "proc/proc.h"
#include "proc/sched.h"
#include "proc/sleep.h"
#include "proc/table.h"

static bool is_childless(struct proc *p) {
  acquire(&p->family);
  bool none = list_empty(&p->children) && list_empty(&p->zombies);
  release(&p->family);
  return none;
}

// Only p adds to its children, so one without any has none to come.
static void give_children_to_init(struct proc *p) {
  if (is_childless(p)) return;
  acquire(&init_proc->family);
  acquire_nested(&p->family);
  list_for_each(n, &p->children)
    atomic_store(&list_entry(n, struct proc, sibling)->parent, init_proc);
  list_for_each(n, &p->zombies)
    atomic_store(&list_entry(n, struct proc, sibling)->parent, init_proc);
  list_splice_back(&init_proc->children, &p->children);
  list_splice_back(&init_proc->zombies, &p->zombies);
  if (!list_empty(&init_proc->zombies)) wakeup(&init_proc->child_ended);
  release(&p->family);
  release(&init_proc->family);
}

// From here on this hart runs on the kernel's own page table.
static void leave_memory(struct proc *p) {
  struct vm *vm = p->vm;
  acquire(&p->family);
  p->vm = NULL;
  tlb_load(NULL);
  release(&p->family);
  if (vm != NULL) vm_put(vm);
}

static struct proc *lock_parent(struct proc *p) {
  for (;;) {
    struct proc *parent = atomic_load(&p->parent);
    acquire(&parent->family);
    if (atomic_load(&p->parent) == parent) return parent;
    release(&parent->family);
  }
}

void exit(int status) {
  struct proc *p = myproc();
  if (p == init_proc) {
    printf("init has ended with status %d: nothing is left to run\n", status);
    power_off(1);
  }
  struct files *files = p->files;
  p->files = NULL;
  files_put(files);
  leave_memory(p);
  give_children_to_init(p);

  push_off();
  struct proc *parent = lock_parent(p);
  list_remove(&p->sibling);
  list_push_back(&parent->zombies, &p->sibling);
  p->exit_status = status;
  atomic_store(&p->state, ZOMBIE);
  wakeup(&parent->child_ended);
  release(&parent->family);
  sched();
  panic("process %d runs after its end", p->pid);
}

// The child is a zombie and on no list.  It may still be on its way off its stack.
static int reap(struct proc *child) {
  int pid = child->pid;
  while (atomic_load_acquire(&child->on_hart)) cpu_relax();
  proc_free(child);
  return pid;
}

int wait(uint64 va) {
  struct proc *p = myproc();
  acquire(&p->family);
  while (list_empty(&p->zombies)) {
    int err = list_empty(&p->children) ? -ECHILD : sleep_killable(&p->child_ended, &p->family);
    if (err == 0) continue;
    release(&p->family);
    return err;
  }
  struct proc *child = list_entry(list_pop_front(&p->zombies), struct proc, sibling);
  int status = child->exit_status;
  release(&p->family);

  int err = va != 0 ? copyout(p->vm, va, &status, sizeof(status)) : 0;
  if (err == 0) return reap(child);
  acquire(&p->family);
  list_push_front(&p->zombies, &child->sibling);
  release(&p->family);
  return err;
}

int kill(int pid) {
  if (pid == init_proc->pid) return -EPERM;
  proc_table_lock();
  struct proc *p = proc_find(pid);
  if (p != NULL) {
    atomic_store(&p->killed, true);
    atomic_fence();
    if (!make_ready_killed(p) && atomic_load(&p->state) == RUNNING)
      ipi_send(atomic_load(&p->hart), IPI_RESCHEDULE);
  }
  proc_table_unlock();
  return p != NULL ? 0 : -ESRCH;
}
