// Processes and their threads: what one is, and its life from fork to wait.
//
// A struct proc is one thread.  The first thread of a process is its leader and
// stands for the process: what belongs to the process as a whole is kept in the
// leader's struct proc and guarded by the leader's family lock.  Every other thread
// shares the leader's struct vm and open files, and is gone before the leader is.
// What several threads may touch at once is in struct vm and struct files, which
// have locks of their own; here, only fields marked [atomic] or with a lock are
// ever touched by another thread.
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
//   I14  A process's children and its threads' lists change under the family lock
//        of its leader; `leader` itself never changes while a slot is in use.
#pragma once

#include "arch/current.h"
#include "debug/inject.h"
#include "kernel/atomic.h"
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

// A program that is ready to take the place of a process's own (proc/exec.h).
struct new_program {
  struct vm *vm;     // NULL: there is none
  uint64 entry, sp;  // user addresses
  int argc;
  char name[16];     // as in struct proc
};

// Why a thread must not go on in user mode; bits.
enum stop_reason {
  STOP_PROCESS = 1,  // all of its process ends: a kill, or a thread's fatal fault
  STOP_THREAD = 2,   // this thread ends, by order of its leader
  STOP_EXEC = 4,     // leader: a thread has a new program for it
};

// Lock keys: [own] touched by this thread alone; [family] the family lock of this
// process's leader; [parent's family] that of the leader of the parent process.
struct proc {
  struct context context;   // [hart] while switched out
  enum proc_state state;    // [atomic] I10
  bool on_hart;             // [atomic] I12
  uint32 stop;              // [atomic] of enum stop_reason; obeyed on the way to user mode
  int pid;                  // [const while in use]
  uint32 hart;              // [atomic] where it ran last
  char name[16];            // [own] of the program, for people
  struct vm *vm;            // [own; others read it with own family lock] NULL once ended
  struct files *files;      // [own] open files and directory
  struct trapframe *tf;     // [const once set] user registers; NULL: the slot has no stack yet
  uint64 kstack_top;        // [const once set] address
  struct list queue;        // [RUNQ] in a run queue, or among the free slots
  struct list wait;         // [the condition's lock] in a wait queue
  struct proc *leader;      // [const while in use] itself for a leader
  struct proc *parent;      // [parent's family] leader: of the parent process, or init;
                            // [family] another thread: the one that made it, or the leader
  struct list sibling;      // [the same] among parent's children, zombies, threads or ended
  struct spinlock family;   // FAMILY
  struct list children;     // [family] leader: child processes that run
  struct list zombies;      // [family] leader: child processes that have ended
  uint32 zombies_in_hand;   // [family] leader: taken from there by a thread in wait
  struct list threads;      // [family] made by this thread, running
  struct list ended;        // [family] made by this thread, ended, to be joined
  struct waitq child_ended; // [family] children or threads
  struct list members;      // [family] leader: all other threads
  struct list member;       // [family] other threads: in members
  uint32 live_members;      // [family] leader: those that have not ended
  bool closing;             // [family] leader: no thread may be added any more
  bool from_init;           // [const once it runs] leader: init itself has forked it
  bool shell;               // [own; atomic reads] leader: and it reads lines (proc/job.h)
  struct new_program next;  // [family] leader: to be run once the threads are gone
  uint64 user_stack;        // [const] what clone was given; its page's address
  int exit_status;          // [parent's family] of a leader
  uint64 kernel_time;       // [own] clock ticks that it ran in the kernel without a pause
  uint64 wake_time;         // [TIMER of the queue it is in] clock ticks
  struct list timer;        // [TIMER of that queue]
#ifdef DEBUG
  struct held_locks held;   // [own] what is held while sleeping
  struct injection inject[INJECT_POINTS];  // [own] failures ordered (debug/inject.h)
#endif
} OWN_LINE;

// Whether p has been asked to leave the kernel and not go on: to end, or to make
// room for another program.  Waits that may be cut short end then.
static inline bool killed(const struct proc *p) {
  return atomic_load(&p->stop) != 0;
}

static inline bool is_leader(const struct proc *p) { return p->leader == p; }

extern struct proc *init_proc;  // [const after boot] adopts orphans; never exits

// Frames of kernel stacks that no process uses: their slots keep them.
uint64 proc_kept_frames(void);

// A new process that shares the caller's memory copy-on-write and its open files,
// and returns 0 to user mode; of several threads, only the caller is in it.
// Returns its pid, -EAGAIN without a free slot, -ENOMEM, or -EINTR when killed; then
// nothing has changed.  May sleep.
int fork(void);

// Ends the calling thread.  The leader's end is that of its process: all threads
// end first, files and memory go at once, the rest when the parent waits; children
// are given to init.
void exit(int status) __attribute__((noreturn));

// Ends the calling thread and, if it is not the leader, has the leader end with
// status -1: what a fatal fault does, and a kill.
void exit_process(void) __attribute__((noreturn));

// The calling thread has been asked to stop, interrupts on: ends it, or, as the
// leader, starts the program that another thread has prepared.
void obey_stop(void);

// Waits for a child process, of any thread, to end and frees it.  Its status goes
// to user address va, unless that is 0.  Returns the pid; -ECHILD without children;
// -EINTR when killed; -EFAULT for a bad va, and the child remains.  May sleep.
int wait(uint64 va);

// Asks process `pid`, or the process of that thread, to end: it does so on its next
// way to user mode, which comes within one turn at the latest.  Returns 0; -ESRCH:
// none; -EPERM: init.
int kill(int pid);

// A new thread that starts at user address fn with a0 and a1 as its arguments, the
// end of the page at `stack` as its stack pointer, and nowhere to return to.
// Returns its pid; -EINVAL for a stack that is not a writable page of the program;
// -EAGAIN without a free slot; -ENOMEM; -EINTR when the process is ending.
int clone(uint64 fn, uint64 a0, uint64 a1, uint64 stack);

// Waits for a thread that the caller has made, or inherited from one that ended, to
// end and frees it.  The `stack` that clone was given goes to user address va,
// unless that is 0.  Returns the pid, or errors as wait does.  May sleep.
int join(uint64 va);

// Starts process 1, which runs `body` in the kernel and then enters user mode.
void proc_start_init(void (*body)(void));

// Prints where each process that is not running stands, for a panic: the harts are
// stopped.
void proc_report(void);

// Fills up to `max` rows, one for each process from slot *slot on, which moves on; 0 at
// first.  Returns how many rows: 0 when there are no more.  Processes may begin and end
// while the list is taken; one that lives all the time is in it once.
struct procinfo;
int proc_list(uint32 *slot, struct procinfo *out, int max);
