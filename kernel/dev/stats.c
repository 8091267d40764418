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

// The next part of the report, as far as the buffer goes.  The lock is held.
static int64 take_part(const struct io_buffer *io) {
  if (length == 0) length = make_report(report, sizeof(report));
  uint64 n = MIN(io->len, (uint64)(length - position));
  if (position == length) {
    length = position = 0;
    return 0;
  }
  for (uint64 done = 0, piece; done < n; done += piece) {
    piece = n - done;
    char *to = io_buffer_at(io, done, &piece);
    memcpy(to, report + position + done, piece);
  }
  position += n;
  return n > 0 ? (int64)n : io->err;
}

static int stats_read(uint64 va, int n) {
  struct io_buffer io;
  if (n <= 0) return 0;
  user_write_begin(&io, myproc()->vm, va, MIN(n, REPORT_MAX));
  acquiresleep(&lock);
  int64 got = take_part(&io);
  releasesleep(&lock);
  user_io_end(&io, myproc()->vm);
  return got;
}

void stats_init(void) {
  initsleeplock(&lock, LOCK_STATS);
  devices[DEV_STATS] = (struct device){stats_read, NULL};
}
