// The statistics device.  Each read gives the next part of one report; a read that
// finds its end gives 0, and the next begins a new one.
#include "dev/stats.h"

#include "debug/stats.h"
#include "dev/device.h"
#include "lib/errno.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/frames.h"
#include "mm/usercopy.h"
#include "proc/proc.h"
#include "sync/sleeplock.h"

struct device devices[NDEV];

#define REPORT_MAX  1024

static struct sleeplock lock;         // STATS
static char report[REPORT_MAX];       // [lock]
static int length, position;          // [lock] length 0: no report yet

static int make_report(char *out, int size) {
  uint64 frames[FRAME_KINDS], total;
  frames_census(frames, &total);
  int n = snprintf(out, size, "frames %lu free %lu\n", total, frames[FRAME_FREE]);
  for (int s = 0; s < STAT_COUNT; s++)
    n += snprintf(out + n, size - n, "%lu %s\n", stat_sum(s), stat_name(s));
  return n;
}

static int stats_read(uint64 va, int n) {
  acquiresleep(&lock);
  if (length == 0) length = make_report(report, sizeof(report));
  int piece = MIN(n, length - position);
  int err = piece > 0 ? copyout(myproc()->vm, va, report + position, piece) : 0;
  if (!err) position += piece;
  if (piece == 0) length = position = 0;
  releasesleep(&lock);
  return err ? err : piece;
}

void stats_init(void) {
  initsleeplock(&lock, LOCK_STATS);
  devices[DEV_STATS] = (struct device){stats_read, NULL};
}
