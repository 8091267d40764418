// The process table.
//
// Slots never move and never go away, so a pointer to a process is always safe to
// follow; only what it means may change.  Free slots are chained through `queue`.
// Lock: PROCTABLE, for that chain, the pid counter and the kernel stacks.
#include "proc/table.h"

#include "arch/trapframe.h"
#include "kernel/procinfo.h"
#include "lib/assert.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "mm/kvm.h"
#include "mm/vm.h"

static struct proc procs[NPROC];
static struct proc idle_procs[NCPU];
static struct spinlock table_lock = SPINLOCK(PROCTABLE);
static struct list free_slots = LIST_INIT(free_slots);  // [table_lock]
static uint32 fresh_slots;                              // [table_lock; atomic] slots ever used
static int next_pid = 1;                                // [table_lock]

// A free slot, or NULL.  table_lock is held.
static struct proc *take_slot(void) {
  if (!list_empty(&free_slots))
    return list_entry(list_pop_front(&free_slots), struct proc, queue);
  if (fresh_slots == NPROC) return NULL;
  struct proc *p = &procs[fresh_slots];
  p->slot = fresh_slots++;
  initlock(&p->family, LOCK_FAMILY);  // once: proc_list may hold it at any time
  return p;
}

static void init_fields(struct proc *p) {
  p->killed = false;
  p->hart = 0;
  p->name[0] = 0;
  p->vm = NULL;
  p->files = NULL;
  p->parent = NULL;
  p->exit_status = 0;
  list_init(&p->queue);
  list_init(&p->timer);
  list_init(&p->sibling);
  list_init(&p->wait);
  list_init(&p->children);
  list_init(&p->zombies);
  waitq_init(&p->child_ended);
#ifdef DEBUG
  memset(&p->held, 0, sizeof(p->held));
  memset(p->inject, 0, sizeof(p->inject));
#endif
}

struct proc *proc_alloc(void) {
  acquire(&table_lock);
  struct proc *p = take_slot();
  char *top = p != NULL ? kstack_map(p->slot) : NULL;
  if (top == NULL) {
    if (p != NULL) list_push_front(&free_slots, &p->queue);
    release(&table_lock);
    return NULL;
  }
  init_fields(p);
  p->tf = (struct trapframe *)top - 1;
  memset(p->tf, 0, sizeof(*p->tf));
  p->kstack_top = kstack_top(p->slot);
  memset(&p->context, 0, sizeof(p->context));
  p->context.ra = (uint64)first_run;
  p->context.sp = p->kstack_top - sizeof(struct trapframe);
  p->pid = next_pid++;
  atomic_store_release(&p->state, SETUP);
  release(&table_lock);
  return p;
}

void proc_free(struct proc *p) {
  ASSERT(p->vm == NULL && p->files == NULL && !atomic_load(&p->on_hart));
  acquire(&table_lock);
  atomic_store(&p->state, UNUSED);
  kstack_unmap(p->slot);
  list_push_front(&free_slots, &p->queue);
  release(&table_lock);
}

void proc_table_lock(void) { acquire(&table_lock); }
void proc_table_unlock(void) { release(&table_lock); }

struct proc *proc_find(int pid) {
  for (struct proc *p = procs; p < procs + NPROC; p++)
    if (p->pid == pid && p->state != UNUSED) return p;
  return NULL;
}

struct proc *idle_proc_create(uint32 hart) {
  struct proc *p = &idle_procs[hart];
  initlock(&p->family, LOCK_FAMILY);
  p->slot = NPROC + hart;
  init_fields(p);
  if (kstack_map(p->slot) == NULL) panic("no memory for the idle stack of hart %u", hart);
  p->kstack_top = kstack_top(p->slot);
  p->hart = hart;
  p->state = RUNNING;
  p->on_hart = true;
  strlcpy(p->name, "idle", sizeof(p->name));
  return p;
}

static char state_letter(enum proc_state state) {
  switch (state) {
    case RUNNING: return 'R';
    case SLEEPING:
    case WAITING: return 'S';
    case ZOMBIE: return 'Z';
    default: return 'r';
  }
}

static bool fill_row(struct proc *p, struct procinfo *row) {
  acquire(&p->family);
  enum proc_state state = atomic_load(&p->state);
  bool shown = state != UNUSED && state != SETUP;
  if (shown) {
    struct proc *parent = atomic_load(&p->parent);
    row->pid = p->pid;
    row->ppid = parent != NULL ? parent->pid : 0;
    row->hart = atomic_load(&p->hart);
    row->state = state_letter(state);
    memcpy(row->name, p->name, sizeof(row->name));
    row->size = p->vm != NULL ? atomic_load(&p->vm->size) : 0;
  }
  release(&p->family);
  return shown;
}

int proc_list(struct procinfo *out, int max) {
  int n = 0;
  uint32 used = atomic_load(&fresh_slots);
  for (uint32 i = 0; i < used && n < max; i++)
    if (fill_row(&procs[i], &out[n])) n++;
  return n;
}
