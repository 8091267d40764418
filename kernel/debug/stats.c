// Event counters: see debug/stats.h.
#include "debug/stats.h"

struct hart_stats hart_stats[NCPU];

static const char *const names[] = {
#define STAT(name, what) what,
    STATS(STAT)
#undef STAT
};

uint64 stat_sum(enum stat s) {
  uint64 sum = 0;
  for (int i = 0; i < NCPU; i++) sum += hart_stats[i].count[s];
  return sum;
}

const char *stat_name(enum stat s) { return names[s]; }
