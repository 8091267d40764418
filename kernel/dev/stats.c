// The statistics device.  Each open file has a report of its own, made at its first read and
// freed when it is closed; its reads give the parts, then 0.  No lock: the open file's.
#include "dev/stats.h"

#include "debug/stats.h"
#include "dev/device.h"
#include "lib/errno.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/frames.h"
#include "mm/kalloc.h"
#include "mm/usercopy.h"

struct device devices[NDEV];

// What an open file keeps, in a frame of its own.
struct report {
  int length, position;
  char text[1024];
};

static int make_report(char *out, int size) {
  uint64 frames[FRAME_KINDS], total;
  frames_census(frames, &total);
  int n = snprintf(out, size, "frames %lu free %lu\n", total, frames[FRAME_FREE]);
  for (int s = 0; s < STAT_COUNT; s++)
    n += snprintf(out + n, size - n, "%lu %s\n", stat_sum(s), stat_name(s));
  return n;
}

static struct report *new_report(void) {
  struct report *r = kalloc(FRAME_OTHER);
  if (r == NULL) return NULL;
  r->length = make_report(r->text, sizeof(r->text));
  r->position = 0;
  return r;
}

// The next part of the report, as far as the buffer goes.
static int64 stats_read(void **state, const struct io_buffer *io) {
  if (*state == NULL) *state = new_report();
  struct report *r = *state;
  if (r == NULL) return -ENOMEM;
  if (r->position == r->length) return 0;
  uint64 n = MIN(io->len, (uint64)(r->length - r->position));
  for (uint64 done = 0, piece; done < n; done += piece) {
    piece = n - done;
    char *to = io_buffer_at(io, done, &piece);
    memcpy(to, r->text + r->position + done, piece);
  }
  r->position += n;
  return n > 0 ? (int64)n : io->err;
}

void stats_init(void) {
  devices[DEV_STATS] = (struct device){.read_open = stats_read, .close = kfree};
}
