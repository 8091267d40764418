// neighbour: what a process pays for what others do (main.c says how it is run).
//
// Three parties: the victim measures its own operations, alone and then among the
// adversary's threads; the adversary does one hostile thing for ever; the host of both,
// the first process, starts them, keeps the time, prints and judges.
//
// The bound of a row.  Let H harts have N threads of the adversary and the victim.  In
// fair shares a hart has at most q = ceil((N + 1) / H) of them, so in a round of q turns
// each runs for one.  Where f harts share a real core, which under -icount is f = H,
// everything takes f times as long: a round is q * f turns.  A turn is 10 ms; of the
// uneven ones (seed=, under -icount) one of a round is as long as any, the others are as
// long as they are in the mean.  An operation may lose its hart once to the end of a turn,
// and once more wherever it waits for another process even when alone (`waits`); then it
// waits for a round.  So the mere share of the harts explains
//
//   the worst:   worst alone * f + (1 + waits) * round
//   the median:  median alone + waits * round
//
// since most operations begin and end in one turn.  Turns of chance length, and an emulator
// that takes some of them away from a hart whole, can make it more than that, so it is
// measured as well: among N processes that do nothing but spin.  What the share explains is
// the larger one, and the bound is three times that.  Nothing is added for locks, memory,
// port or frames that the adversary holds.
#pragma once

#include "kernel/types.h"
#include "kernel/riscv.h"
#include "user/user.h"

#define COUNT_OF(array)  ((int)(sizeof(array) / sizeof((array)[0])))
#define TURN             10000000UL  // nanoseconds
#define LONGEST_TURN     8192000UL   // of the uneven ones; the same
#define MEAN_TURN        1024000UL
#define TOLERATED        3           // times what the share explains
#define OPERATIONS_MOST  8

// How it is run.
struct plan {
  int harts;
  int cores;        // real ones, when the harts run at once; 0: in turn, under -icount
  int rounds;       // for an operation
  int limit;        // ticks, beside what is needed, until what is not done did not end
};
extern struct plan plan;

// Nanoseconds.  Under -icount with shift=0 an instruction takes one, and rdinstret
// counts those of all harts; else the clock of 10 MHz is to be read.
static inline uint64 now(void) {
  uint64 n;
  if (plan.cores == 0) asm volatile("rdinstret %0" : "=r"(n) : : "memory");
  else asm volatile("rdtime %0" : "=r"(n) : : "memory");
  return plan.cores == 0 ? n : n * 100;
}

// --- The adversary (adversary.c) ---

struct adversary {
  const char *name;
  void (*prepare)(void);  // 0: nothing to do before the victim is alone
  void (*attack)(int which);
  int a_hart, fixed;      // processes: so many for each hart, and in all
  int threads;            // of each that want a hart at one time, descendants included
  int hungry;             // takes all memory: the victim's calls may fail for want of it
  const char *what;
};
extern const struct adversary adversaries[];
const struct adversary *find_adversary(const char *name);  // 0: there is none
void list_adversaries(void);

static inline int processes_of(const struct adversary *a) {
  return a->a_hart * plan.harts + a->fixed;
}
static inline uint64 sharing(void) {
  return plan.cores == 0 ? plan.harts : (plan.harts + plan.cores - 1) / plan.cores;
}
static inline uint64 turns_of(const struct adversary *a) {
  return (processes_of(a) * a->threads + 1 + plan.harts - 1) / plan.harts;
}
static inline uint64 round_of(const struct adversary *a) {
  uint64 turns = turns_of(a) * sharing();
  return plan.cores == 0 ? LONGEST_TURN + (turns - 1) * MEAN_TURN : turns * TURN;
}

// --- The victim (victim.c) ---

struct operation {
  const char *name;
  int waits;               // for another process, when alone
  int hungry;              // whether it can be done when there may be no memory
  uint64 (*cost)(void);    // does it once
};
extern const struct operation operations[];
extern const int operation_count;

enum phase { ALONE, SHARED, CROWDED, TIMEOUT, READY };

// What the victim, a leader of the adversary or the clock tells the host.
struct result {
  int phase, operation;
  uint64 median, worst, samples;
  int failed;  // calls
};

// Reads from fd `gate` when the attack begins, and spins until then.  Returns it.
uint64 await_start(int gate);

// Measures each operation alone, reports to fd `out`, then among spinning processes, and
// again from the first moment of the attack on.  Does not return.
void be_victim(const struct adversary *a, int out, int gate) __attribute__((noreturn));

// Makes every page of data, bss and stack the caller's own, so that it takes no fault
// there until it forks again.
void own_pages(void);
