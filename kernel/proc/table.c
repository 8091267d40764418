// The process table.
//
// Slots never move and never go away, so a pointer to a process is always safe to
// follow; only what it means may change.  A slot keeps its kernel stack (mm/kstack.h)
// from its first use on.  Free slots are chained through `queue`, those with a stack
// first, and of these the one that was used last.
// Lock: PROCTABLE, for that chain and the pid counter.
#include "proc/table.h"

#include "arch/trapframe.h"
#include "debug/backtrace.h"
#include "kernel/atomic.h"
#include "kernel/procinfo.h"
#include "lib/assert.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/kstack.h"
#include "mm/vm.h"

static struct proc procs[NPROC];
static struct proc idle_procs[NCPU];
static uint32 fresh_slots;         // [table.lock; atomic] slots ever used

static struct table {
  struct spinlock lock;            // PROCTABLE
  struct list free_slots;          // [lock]
  uint32 kept_stacks;              // [lock; atomic reads] free slots that have one
  int next_pid;                    // [lock]
} OWN_LINE table = {
    .lock = SPINLOCK(PROCTABLE), .free_slots = LIST_INIT(table.free_slots), .next_pid = 1};

// A free slot, or NULL.  table.lock is held.
static struct proc *take_slot(void) {
  if (!list_empty(&table.free_slots))
    return list_entry(list_pop_front(&table.free_slots), struct proc, queue);
  if (fresh_slots == NPROC) return NULL;
  struct proc *p = &procs[fresh_slots];
  initlock(&p->family, LOCK_FAMILY);  // once: proc_list may hold it at any time
  atomic_store_release(&fresh_slots, fresh_slots + 1);
  return p;
}

// The next number that no process has.  Only after 2^31 processes is there need to
// look for one.  table.lock is held.
static int new_pid(void) {
  static bool wrapped;
  int pid;
  do {
    pid = table.next_pid;
    table.next_pid = pid == 0x7fffffff ? 2 : pid + 1;
    wrapped |= table.next_pid == 2 && pid != 1;
  } while (wrapped && proc_find(pid) != NULL);
  return pid;
}

static void init_fields(struct proc *p) {
  p->stop = 0;
  p->hart = 0;
  p->name[0] = 0;
  p->vm = NULL;
  p->files = NULL;
  p->leader = p;
  p->parent = NULL;
  p->zombies_in_hand = 0;
  p->live_members = 0;
  p->closing = false;
  p->from_init = false;
  p->shell = false;
  p->next.vm = NULL;
  p->user_stack = 0;
  p->exit_status = 0;
  p->kernel_time = 0;
  list_init(&p->queue);
  list_init(&p->timer);
  list_init(&p->sibling);
  list_init(&p->wait);
  list_init(&p->children);
  list_init(&p->zombies);
  list_init(&p->threads);
  list_init(&p->ended);
  list_init(&p->members);
  list_init(&p->member);
  waitq_init(&p->child_ended);
#ifdef DEBUG
  p->held.count = 0;
  memset(p->inject, 0, sizeof(p->inject));
#endif
}

static uint32 slot_number(const struct proc *p) { return p - procs; }

// A slot's first use.  No lock is held.
static bool add_stack(struct proc *p) {
  struct kstack stack;
  if (!kstack_get(kstack_of_process(slot_number(p)), &stack)) return false;
  p->kstack_top = stack.top;
  p->tf = (struct trapframe *)stack.top_alias - 1;
  return true;
}

// A free slot that has a stack, or NULL.  table.lock is held, and given up for as long as
// it takes to make one.
static struct proc *take_slot_with_stack(void) {
  for (;;) {
    struct proc *p = take_slot();
    if (p == NULL) return NULL;
    if (likely(p->tf != NULL)) {
      table.kept_stacks--;
      return p;
    }
    release(&table.lock);
    bool added = add_stack(p);
    acquire(&table.lock);
    if (added) return p;
    list_push_back(&table.free_slots, &p->queue);
    // Without memory, a stack that has become free since then will do.
    if (table.kept_stacks == 0) return NULL;
  }
}

struct proc *proc_alloc(void) {
  acquire(&table.lock);
  struct proc *p = take_slot_with_stack();
  if (p == NULL) {
    release(&table.lock);
    return NULL;
  }
  init_fields(p);
  memset(p->tf, 0, sizeof(*p->tf));
  memset(&p->context, 0, sizeof(p->context));
  p->context.ra = (uint64)first_run;
  p->context.sp = p->kstack_top - sizeof(struct trapframe);
  p->pid = new_pid();
  atomic_store(&p->state, SETUP);
  release(&table.lock);
  return p;
}

void proc_free(struct proc *p) {
  ASSERT(p->vm == NULL && p->files == NULL && !atomic_load(&p->on_hart));
  acquire(&table.lock);
  atomic_store(&p->state, UNUSED);
  list_push_front(&table.free_slots, &p->queue);
  table.kept_stacks++;
  release(&table.lock);
}

uint64 proc_kept_frames(void) { return KSTACK_FRAMES * atomic_load(&table.kept_stacks); }

void proc_table_lock(void) { acquire(&table.lock); }
void proc_table_unlock(void) { release(&table.lock); }

struct proc *proc_find(int pid) {
  for (struct proc *p = procs; p < procs + NPROC; p++)
    if (p->pid == pid && atomic_load(&p->state) != UNUSED) return p;
  return NULL;
}

struct proc *idle_proc_create(uint32 hart) {
  struct proc *p = &idle_procs[hart];
  initlock(&p->family, LOCK_FAMILY);
  init_fields(p);
  struct kstack stack;
  kstack_get(kstack_of_hart(hart), &stack);
  p->kstack_top = stack.top;
  p->hart = hart;
  p->state = RUNNING;
  p->on_hart = true;
  strcpy_padded(p->name, "idle", sizeof(p->name));
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

void proc_report(void) {
  for (uint32 i = 0; i < fresh_slots; i++) {
    struct proc *p = &procs[i];
    if (p->state == UNUSED || p->state == RUNNING || p->state == ZOMBIE) continue;
    printf("process %d (%s) %s%s\n", p->pid, p->name, p->state == READY ? "is ready" : "waits",
           killed(p) ? ", asked to stop" : "");
    backtrace(p->context.ra - 4, p->context.s[0]);
#ifdef DEBUG
    lockdebug_print(&p->held);
#endif
  }
}

static bool fill_row(struct proc *p, struct procinfo *row) {
  acquire(&p->family);
  enum proc_state state = atomic_load_acquire(&p->state);
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

int proc_list(uint32 *slot, struct procinfo *out, int max) {
  int n = 0;
  uint32 used = atomic_load_acquire(&fresh_slots);
  while (*slot < used && n < max)
    if (fill_row(&procs[(*slot)++], &out[n])) n++;
  return n;
}
