// Threads: clone, join, and how all threads of a process are brought to an end.
//
// Only the leader ends others or changes the program.  Another thread that has met
// a fatal fault, or has prepared a new program, tells the leader so (STOP_PROCESS,
// STOP_EXEC) and ends itself; the leader, on its way to user mode, does the rest.
// So there is one place where a process ends and one where it gets a new program,
// and pid, parent and children stay with the leader all the time.
//
// Lock: the leader's FAMILY, for all lists of the process.
#include "proc/thread.h"

#include "arch/csr.h"
#include "arch/ipi.h"
#include "arch/trapframe.h"
#include "debug/explore.h"
#include "kernel/atomic.h"
#include "lib/assert.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/tlb.h"
#include "mm/usercopy.h"
#include "mm/vm.h"
#include "proc/files.h"
#include "proc/sched.h"
#include "proc/sleep.h"
#include "proc/table.h"

void stop(struct proc *p, enum stop_reason why) {
  push_off();  // nothing comes between the reason and the interrupt
  atomic_or_full(&p->stop, why);
  if (!make_ready_killed(p) && atomic_load(&p->state) == RUNNING)
    ipi_send(atomic_load(&p->hart), IPI_RESCHEDULE);
  pop_off();
}

void reap(struct proc *p) {
  while (atomic_load_acquire(&p->on_hart)) cpu_relax();
  proc_free(p);
}

void leave_memory(void) {
  struct proc *p = myproc();
  struct vm *vm = p->vm;
  acquire(&p->family);
  p->vm = NULL;
  tlb_load(NULL);
  release(&p->family);
  if (vm != NULL) vm_put(vm);
}

void leave_files(void) {
  struct proc *p = myproc();
  struct files *files = p->files;
  p->files = NULL;
  files_put(files);
}

// --- beginning --------------------------------------------------------------

// Makes t one of the threads of the caller's process.  Returns whether there may
// still be new ones.
static bool enter(struct proc *t) {
  struct proc *p = myproc(), *leader = p->leader;
  t->leader = leader;
  t->parent = p;
  acquire(&leader->family);
  bool open = !leader->closing;
  if (open) {
    list_push_back(&p->threads, &t->sibling);
    list_push_back(&leader->members, &t->member);
    leader->live_members++;
  }
  release(&leader->family);
  return open;
}

static bool is_stack_page(struct vm *vm, uint64 page) {
  if (page % PGSIZE != 0 || page >= USERTOP) return false;
  rwlock_share(&vm->lock);
  const struct region *r = vm_region(vm, page);
  bool fits = r != NULL && (r->prot & PTE_W);
  rwlock_unshare(&vm->lock);
  return fits;
}

static void set_start(struct proc *t, uint64 fn, uint64 a0, uint64 a1, uint64 stack) {
  *t->tf = *myproc()->tf;
  t->tf->sepc = fn;
  t->tf->sp = stack + PGSIZE;
  t->tf->ra = ~0UL;
  t->tf->s0 = 0;
  t->tf->a[0] = a0;
  t->tf->a[1] = a1;
}

int clone(uint64 fn, uint64 a0, uint64 a1, uint64 stack) {
  struct proc *p = myproc();
  if (!is_stack_page(p->vm, stack)) return -EINVAL;
  struct proc *t = proc_alloc();
  if (t == NULL) return -EAGAIN;
  set_start(t, fn, a0, a1, stack);
  t->user_stack = stack;
  t->hart = atomic_load(&p->hart);
  memcpy(t->name, p->name, sizeof(t->name));
  t->vm = vm_get(p->vm);
  t->files = files_share(p->files);
  int pid = t->pid;
  if (!enter(t)) {
    files_put(t->files);
    vm_put(t->vm);
    t->files = NULL;
    t->vm = NULL;
    proc_free(t);
    return -EINTR;
  }
  start(t);
  return pid;
}

// --- joining ----------------------------------------------------------------

// Takes an ended thread for good.
static void forget(struct proc *t) {
  struct proc *leader = t->leader;
  acquire(&leader->family);
  list_remove(&t->member);
  release(&leader->family);
  reap(t);
}

int join(uint64 va) {
  struct proc *p = myproc(), *leader = p->leader;
  acquire(&leader->family);
  while (list_empty(&p->ended)) {
    int err = list_empty(&p->threads) ? -ECHILD : sleep_killable(&p->child_ended, &leader->family);
    if (err == 0) continue;
    release(&leader->family);
    return err;
  }
  struct proc *t = list_entry(list_pop_front(&p->ended), struct proc, sibling);
  release(&leader->family);

  int pid = t->pid;
  uint64 stack = t->user_stack;
  int err = va != 0 ? copyout(p->vm, va, &stack, sizeof(stack)) : 0;
  explore_yield();
  if (err == 0) {
    forget(t);
    return pid;
  }
  acquire(&leader->family);
  list_push_front(&p->ended, &t->sibling);
  release(&leader->family);
  return err;
}

// --- ending -----------------------------------------------------------------

// The leader joins what p, which is ending, will not.
static void leave_threads_to_leader(struct proc *p) {
  struct proc *leader = p->leader;
  list_for_each(n, &p->threads) list_entry(n, struct proc, sibling)->parent = leader;
  list_for_each(n, &p->ended) list_entry(n, struct proc, sibling)->parent = leader;
  list_splice_back(&leader->threads, &p->threads);
  list_splice_back(&leader->ended, &p->ended);
}

void exit_thread(void) {
  struct proc *p = myproc(), *leader = p->leader;
  leave_files();
  leave_memory();
  push_off();
  acquire(&leader->family);
  leave_threads_to_leader(p);
  list_remove(&p->sibling);
  list_push_back(&p->parent->ended, &p->sibling);
  leader->live_members--;
  atomic_store(&p->state, ZOMBIE);
  if (p->parent != leader) wakeup(&p->parent->child_ended);
  wakeup(&leader->child_ended);  // it may wait for all, or have inherited some
  release(&leader->family);
  sched();
  panic("thread %d runs after its end", p->pid);
}

// Has all other threads end and waits for them.  The family lock is held, and is
// given up meanwhile.
static void end_members(struct proc *leader) {
  list_for_each(n, &leader->members) stop(list_entry(n, struct proc, member), STOP_THREAD);
  while (leader->live_members > 0) sleep(&leader->child_ended, &leader->family);
}

// Frees the threads, which have all ended.  Nobody else knows them any more.
static void reap_members(struct proc *leader) {
  ASSERT(list_empty(&leader->threads));
  while (!list_empty(&leader->ended)) list_pop_front(&leader->ended);
  while (!list_empty(&leader->members))
    reap(list_entry(list_pop_front(&leader->members), struct proc, member));
}

// Only threads make threads, so a leader without any has none to come, and nothing
// that one of them could have left.
static bool is_alone(const struct proc *p) { return is_leader(p) && list_empty(&p->members); }

void close_process(void) {
  struct proc *p = myproc();
  ASSERT(is_leader(p));
  if (is_alone(p)) return;
  acquire(&p->family);
  p->closing = true;
  end_members(p);
  release(&p->family);
  reap_members(p);
}

void reopen_process(void) {
  struct proc *p = myproc();
  ASSERT(is_alone(p));
  p->closing = false;
}

bool claim_process(const struct new_program *next) {
  struct proc *p = myproc(), *leader = p->leader;
  if (is_alone(p)) return true;
  acquire(&leader->family);
  bool mine = !leader->closing;
  if (mine) {
    leader->closing = true;
    if (p != leader) {
      leader->next = *next;
      stop(leader, STOP_EXEC);
    }
  }
  release(&leader->family);
  return mine;
}
