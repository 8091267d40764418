// How processes end: exit, wait and kill.
//
// Lock: FAMILY of the leader, for who its children are and which of them have ended.
// A child's parent may change to init at any time before the child has that lock;
// init's lock comes before the one of a parent that gives its children away.
#include "arch/csr.h"
#include "arch/power.h"
#include "kernel/atomic.h"
#include "lib/assert.h"
#include "lib/errno.h"
#include "lib/printf.h"
#include "mm/usercopy.h"
#include "mm/vm.h"
#include "proc/exec.h"
#include "proc/job.h"
#include "proc/proc.h"
#include "proc/sched.h"
#include "proc/table.h"
#include "proc/thread.h"

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
  if (!is_leader(p)) exit_thread();
  if (p == init_proc) {
    printf_blocking("init has ended with status %d: nothing is left to run\n", status);
    message_drain();
    power_off(1);
  }
  close_process();
  if (p->next.vm != NULL) vm_put(p->next.vm);
  leave_files();
  leave_memory();
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

void exit_process(void) {
  struct proc *p = myproc(), *leader = p->leader;
  if (p == leader) exit(-1);
  stop(leader, STOP_PROCESS);  // it waits for us before its slot changes hands
  exit_thread();
}

void obey_stop(void) {
  uint32 why = atomic_load(&myproc()->stop);
  if (why & STOP_PROCESS) exit_process();
  if (why & STOP_THREAD) exit_thread();
  exec_next();
}

// Init looks after the foreground job, too.  Its family lock is held.
static void walk_if_due(struct proc *p) {
  while (p == init_proc && job_walk_due()) {
    release(&p->family);
    job_walk();
    acquire(&p->family);
  }
}

int wait(uint64 va) {
  struct proc *p = myproc(), *leader = p->leader;
  acquire(&leader->family);
  walk_if_due(p);
  while (list_empty(&leader->zombies)) {
    bool none = list_empty(&leader->children) && leader->zombies_in_hand == 0;
    int err = none ? -ECHILD : sleep_killable(&leader->child_ended, &leader->family);
    walk_if_due(p);
    if (err == 0) continue;
    release(&leader->family);
    return err;
  }
  struct proc *child = list_entry(list_pop_front(&leader->zombies), struct proc, sibling);
  leader->zombies_in_hand++;
  release(&leader->family);

  int status = child->exit_status, pid = child->pid;
  int err = va != 0 ? copyout(p->vm, va, &status, sizeof(status)) : 0;
  acquire(&leader->family);
  leader->zombies_in_hand--;
  if (err) list_push_front(&leader->zombies, &child->sibling);
  wakeup(&leader->child_ended);  // another thread may wait for it, or in vain
  release(&leader->family);
  if (err) return err;
  reap(child);
  return pid;
}

int kill(int pid) {
  proc_table_lock();
  struct proc *p = proc_find(pid);
  int err = 0;
  if (p == NULL)
    err = -ESRCH;
  else if (p->leader == init_proc)
    err = -EPERM;
  else
    stop(p->leader, STOP_PROCESS);
  proc_table_unlock();
  return err;
}
