// What the workers of stress share.  A worker is a process that does one kind of
// thing, over and over, until its time is up or it is killed, and checks every
// byte that it reads back against what it must be: a function of who wrote it,
// where, and how often that place had been written before.
//
// A call that fails for want of memory, processes or files is legal; wrong data,
// a break or a file of the wrong size, or a death without reason is not.
#pragma once

#include "kernel/types.h"
#include "kernel/fcntl.h"
#include "kernel/memlayout.h"
#include "kernel/memstat.h"
#include "kernel/riscv.h"
#include "kernel/stat.h"
#include "user/testlib.h"

#define TICKS_A_SECOND  10
#define PAGE_WORDS      (PGSIZE / 8)
#define KILLED          (-1)  // status of a process that the kernel ended
#define PLACE           "/stress.tmp"

enum kind { HEAP, SPARSE, FORKS, KILLS, PIPES, EXECS, FILES, KINDS };

// The calling worker; its descendants inherit a copy.
struct worker {
  int slot;        // which of the supervisor's
  uint64 owner;    // marks what it writes; differs in every process
  uint64 frames;   // memory it may use, descendants included
  int deadline;    // in ticks of uptime
  int report;      // where records go; -1 in descendants
  int operations;  // done since the last record
  int heard;       // when that was
};
extern struct worker me;

// Counts an operation, tells the supervisor every tick, and ends the worker at
// its deadline.  Descendants of a worker do not call it.
void operation_done(void);

// fork that makes the child a descendant with an owner of its own.  Returns
// fork's result: -1 is legal.
int descend(void);

// Whether there is so little memory that a process may die of it.
int memory_is_short(void);

// Waits for a child.  Its status must be 0, or KILLED if the caller killed it or
// memory is short.
void child_must_be_well(int was_killed);

// Random numbers of the calling process.
void random_start(uint64 seed);
uint64 random_number(void);
static inline uint64 below(uint64 limit) { return limit ? random_number() % limit : 0; }

// Burns a random number of instructions, up to `most`.
void spin(uint64 most);

// The calling process has a different owner from now on.
uint64 new_owner(void);

// A page's worth of stamps: `words` words from `at` on.  generation 0 stands for
// zeros.  The check names the page and ends the process if a word is wrong.
void page_stamp(uint64 *at, int words, uint64 owner, uint64 page, uint64 generation);
void page_check(const uint64 *at, int words, uint64 owner, uint64 page, uint64 generation);

// One operation of each kind.
void heap_operation(void);
void sparse_operation(void);
void forks_operation(void);
void kills_operation(void);
void pipes_operation(void);
void execs_operation(void);
void files_operation(void);

// What a stress does that execs_operation started: its exit status.
int exec_child(int argc, char **argv);
