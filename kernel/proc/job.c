// Ending the foreground job.  See proc/job.h.
#include "proc/job.h"

#include "kernel/atomic.h"
#include "proc/proc.h"
#include "proc/table.h"
#include "proc/thread.h"

static bool interrupted;  // [CONSOLE; atomic reads] since the shell has read a line
static bool due;          // [init's family] init has not walked yet

// Processes found and not yet asked to end.  [init]
static struct {
  struct proc *p;
  int pid;      // what it was: the slot may have changed hands
} found[NPROC];
static uint32 founds;

void job_interrupt_ask(void) { atomic_store(&interrupted, true); }

void job_interrupt_start(void) {
  if (init_proc == NULL) return;
  acquire(&init_proc->family);
  due = true;
  wakeup(&init_proc->child_ended);
  release(&init_proc->family);
}

bool job_line_begins(void) {
  struct proc *p = myproc()->leader;
  if (!p->from_init) return false;
  atomic_store(&p->shell, true);
  atomic_store(&interrupted, false);
  return true;
}

bool job_stillborn(const struct proc *parent) {
  return atomic_load(&parent->shell) && atomic_load(&interrupted);
}

bool job_walk_due(void) { return due; }

// One that finds no room, which takes more births during the walk than there are slots,
// is asked at once, and its children are not.
static void find(struct proc *p) {
  if (founds == NPROC) {
    stop(p, STOP_PROCESS);
    return;
  }
  found[founds].p = p;
  found[founds++].pid = p->pid;
}

// p's family lock is held.
static void find_children(struct proc *p) {
  list_for_each(n, &p->children) find(list_entry(n, struct proc, sibling));
}

static bool ask(struct proc *p, int pid) {
  proc_table_lock();
  bool same = p->pid == pid && atomic_load(&p->state) != UNUSED;
  if (same) stop(p, STOP_PROCESS);
  proc_table_unlock();
  return same;
}

static void walk_down(void) {
  while (founds > 0) {
    struct proc *p = found[--founds].p;
    acquire(&p->family);
    if (ask(p, found[founds].pid)) find_children(p);
    release(&p->family);
  }
}

// The shell's children, unless it has read another line by now: then they are others.
static void walk_from(struct proc *shell) {
  acquire(&shell->family);
  if (atomic_load(&interrupted)) find_children(shell);
  release(&shell->family);
  walk_down();
}

// The next child of init that is a shell, from the n-th on, or NULL; *n is what follows.
// It may end at any time, but only the caller, init, can reap it.
static struct proc *next_shell(uint32 *n) {
  struct proc *shell = NULL;
  uint32 i = 0;
  acquire(&init_proc->family);
  list_for_each(at, &init_proc->children) {
    struct proc *p = list_entry(at, struct proc, sibling);
    if (i++ < *n || !atomic_load(&p->shell)) continue;
    shell = p;
    break;
  }
  *n = i;
  release(&init_proc->family);
  return shell;
}

void job_walk(void) {
  uint32 n = 0;
  acquire(&init_proc->family);
  due = false;
  release(&init_proc->family);
  for (struct proc *shell; (shell = next_shell(&n)) != NULL;) walk_from(shell);
}
