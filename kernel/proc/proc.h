// Processes: what one is, and the life of one from fork to wait.
//
//   UNUSED -> (fork) READY -> RUNNING -> ZOMBIE -> (wait) UNUSED
//              RUNNING <-> READY, RUNNING -> SLEEPING or WAITING -> READY
//
//   I10  Whoever moves `state` from SLEEPING or WAITING to READY, by one atomic
//        exchange, puts the process on a run queue; nobody else does.
//   I11  A process is on a run queue exactly when its state is READY, except
//        between that exchange and the insertion, and on its way from one queue
//        to another.
//   I12  A process's kernel stack is in use until on_hart is false; whoever
//        wants to run or free it waits for that.
#pragma once

#include "arch/current.h"
#include "debug/inject.h"
#include "kernel/param.h"
#include "lib/list.h"
#include "lib/types.h"
#include "sync/lockdebug.h"
#include "sync/spinlock.h"
#include "sync/waitq.h"

struct vm;
struct files;
struct trapframe;

enum proc_state {
  UNUSED,    // a free slot
  SETUP,     // being made
  READY,     // on a run queue
  RUNNING,   // on a hart
  SLEEPING,  // waits; a kill does not wake it
  WAITING,   // waits; a kill wakes it
  ZOMBIE     // ended, not yet waited for
};

// What a switched-out kernel context needs (arch/switch.S).
struct context {
  uint64 ra, sp, s[12];
};

struct proc {
  struct context context;   // [hart] while switched out
  enum proc_state state;    // [atomic] I10
  bool on_hart;             // [atomic] I12
  bool killed;              // [atomic] ends at the next way to user mode
  int pid;                  // [const while in use]
  uint32 hart;              // [atomic] where it ran last
  char name[16];            // [own] of the program, for people
  struct vm *vm;            // [own; others read it with family] NULL once ended
  struct files *files;      // [own] open files and directory
  struct trapframe *tf;     // [const while in use] user registers
  uint32 kstack_slot;       // [const while in use]
  uint64 kstack_top;        // [const while in use] address
  struct list queue;        // [RUNQ] in a run queue, or among the free slots
  struct list wait;         // [the condition's lock] in a wait queue
  struct proc *parent;      // [family of it] init when the parent has ended
  struct list sibling;      // [parent's family] among parent's children
  struct spinlock family;   // FAMILY: of this process as a parent
  struct list children;     // [family] running
  struct list zombies;      // [family] ended
  struct waitq child_ended; // [family]
  int exit_status;          // [parent's family]
  uint64 wake_time;         // [TIMER of the queue it is in] clock ticks
  struct list timer;        // [TIMER of that queue]
#ifdef DEBUG
  struct held_locks held;   // [own] sleeping locks, by class
  struct injection inject[INJECT_POINTS];  // [own] failures ordered (debug/inject.h)
#endif
};

// Whether the process has been asked to end.
static inline bool killed(const struct proc *p) {
  return __atomic_load_n(&p->killed, __ATOMIC_RELAXED);
}

extern struct proc *init_proc;  // [const after boot] adopts orphans; never exits

// A new process that shares the caller's memory copy-on-write and its open files,
// and returns 0 to user mode.  Returns its pid, -EAGAIN without a free slot, or
// -ENOMEM; then nothing has changed.  May sleep.
int fork(void);

// Ends the calling process: files and memory go at once, the rest when its parent
// waits.  Children are given to init.
void exit(int status) __attribute__((noreturn));

// Waits for a child to end and frees it.  Its status goes to user address va,
// unless that is 0.  Returns the pid; -ECHILD without children; -EINTR when
// killed; -EFAULT for a bad va, and the child remains.  May sleep.
int wait(uint64 va);

// Asks process `pid` to end: it does so on its next way to user mode, which comes
// within one turn at the latest.  Returns 0; -ESRCH: none; -EPERM: init.
int kill(int pid);

// Starts process 1, which runs `body` in the kernel and then enters user mode.
void proc_start_init(void (*body)(void));

// Fills up to `max` rows, one for each process; returns how many there are rows
// for.  A snapshot that others may change while it is taken.
struct procinfo;
int proc_list(struct procinfo *out, int max);
