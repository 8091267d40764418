// What the storms of stress share.  A storm is one kind of thing, done over and
// over by workers: processes that each go on until their time is up or they are
// killed, and check every byte that they read back against what it must be: a
// function of who wrote it, where, and how often that place had been written.
//
// A call that fails for want of memory, processes or files is legal; wrong data,
// a break or a file of the wrong size, or a death without reason is not.
//
// To add a storm: a file NAME.c with `void NAME_operation(void)`, its declaration
// below, and a line in the table of main.c.
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
#define KILLED          (-1)           // status of a process that the kernel ended
#define PLACE           "/stress.tmp"  // all files are there; emptied at the end

// The calling worker; its descendants inherit a copy.
struct worker {
  int slot;        // which of the supervisor's
  int life;        // how many workers the slot had before
  uint64 seed;     // of the run
  uint64 owner;    // marks what it writes; differs in every process
  uint64 frames;   // memory it may use, descendants included
  int workers;     // in all
  int alone;       // nobody else works: the frames of the machine can be counted
  int hungry;      // a storm is under way that takes all memory
  int deadline;    // in ticks of uptime
  int report;      // where records go; -1 in descendants
  int operations;  // done since the last record
  int heard;       // when that was
};
extern struct worker me;

// One operation of each storm: a worker calls it again and again.  One that does
// many things adds to me.operations what it did beyond the first.
void lazystorm_operation(void);
void cowstorm_operation(void);
void copystorm_operation(void);
void pipestorm_operation(void);
void execstorm_operation(void);
void killstorm_operation(void);
void fsstorm_operation(void);
void threadstorm_operation(void);
void tlbstorm_operation(void);
void futexstorm_operation(void);
void oomstorm_operation(void);
void fuzz_operation(void);

// What a stress does that a worker started by exec: its exit status.
int exec_child(int argc, char **argv);   // stress --child ...
int exec_victim(int argc, char **argv);  // stress --victim ...

// Counts an operation, tells the supervisor every tick, and ends the worker at
// its deadline.  Descendants of a worker do not call it.
void operation_done(void);

// fork that makes the child a descendant with an owner of its own.  Returns
// fork's result: -1 is legal.
int descend(void);

// Whether there is so little memory that a process may die of it, or a call fail.
int memory_is_short(void);

// Waits for a child.  Its status must be 0, or KILLED if the caller killed it or
// memory is short.
void child_must_be_well(int was_killed);

// --- Numbers ---

// Random numbers of the calling process.
void random_start(uint64 seed);
uint64 random_number(void);
static inline uint64 below(uint64 limit) { return limit ? random_number() % limit : 0; }

// Burns a random number of instructions, up to `most`.
void spin(uint64 most);

// The calling process has a different owner from now on.
uint64 new_owner(void);

// A number that is not negative, in decimal; at most 11 bytes with the NUL.
void decimal(char *text, int number);

// --- Memory ---

// A page's worth of stamps: `words` words from `at` on.  generation 0 stands for
// zeros.  The check names the page and ends the process if a word is wrong.
void page_stamp(uint64 *at, int words, uint64 owner, uint64 page, uint64 generation);
void page_check(const uint64 *at, int words, uint64 owner, uint64 page, uint64 generation);

// Moves the break up to the next page border.  Returns it.
char *align_break(void);

// Where the program's data begin: a page border, with constants below it.
uint64 data_start(void);

// Makes every page of data, bss and stack the caller's own, so that it takes no
// fault there until it forks again.
void own_pages(void);

// --- Bytes and files ---

// Byte i of what `owner` sends or writes, and whether the n bytes at `at` are
// those from `from` on.
static inline uint8 byte_of(uint64 owner, uint64 i) {
  return (owner + i * 131 + (i >> 8) * 7) % 251;
}
void check_bytes(const char *at, uint64 owner, uint64 from, uint64 n);

// A buffer in pages that nobody touched before, across their border, of *size
// bytes; to be dropped before the next.
char *fresh_buffer(uint64 *size);
void drop_buffer(void);

// The name of the worker's file or directory `i` (0 to 9) in PLACE; `what` has at
// most 5 letters.  Names are the slot's: a worker before may have left it there.
#define NAME_MOST  32
void own_name(char name[NAME_MOST], const char *what, int i);

// Whether a file cannot be opened for the reason that there are too many.
int files_are_short(void);
