// The supervisor of stress: who runs what, and for how long.
#pragma once

#include "kernel/types.h"

enum storm_flags {
  APART = 1,   // not in the mix: only by name
  HUNGRY = 2,  // takes all memory there is, so others may die of it meanwhile
  SPARED = 4,  // its workers look after others: the supervisor kills none of them
};

struct storm {
  const char *name;
  void (*operation)(void);
  int flags;
  int most;          // workers that may do it at a time; 0: any number
  const char *what;  // for -l
};

// What is to be run.
struct order {
  const struct storm **storms;
  int count;
  uint64 seed;
  int seconds;
  int workers;
  uint64 frames;  // for each worker
};

struct result {
  int all_gone;  // all processes have ended
  int bad;       // workers that went wrong
};

// Settles how many workers there are, what each does, and what memory it gets, in
// a machine with so many free frames.
void share_out(struct order *order, uint64 free);

// Starts everything, and ends it.
struct result run(const struct order *order);

// A line for each storm that had a worker.
void print_totals(const struct order *order);
