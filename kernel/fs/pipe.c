// Pipes.  See fs/pipe.h.
//
// One process at a time has a side: it alone moves that side's counter, so it may
// copy between the ring and a user buffer, whose bytes cannot fault, with no lock
// held, and publish the counter afterwards.  A side counts as a lock (PIPEEND): user
// pages are made ready before it is taken.  Whoever finds what it
// needs - the side free, bytes or room - takes no lock at all.  Otherwise it
// announces itself in `waiting`, looks again and sleeps, all under the lock.
//
// No wakeup is lost: who changes something changes it, fences, and then reads
// `waiting`; who waits raises `waiting`, fences, and then looks.  One of the two
// sees the other.
//
//   P1  written - read is the number of bytes in the ring, 0 to RING.
//   P2  written is changed by the owner of the writing side alone, read by that
//       of the reading side.
//   P3  An empty ring starts over where it suits the writer, so that most copies are
//       in one piece and between addresses of the same alignment.  The writer moves
//       the origin before it publishes bytes, so the reader, which looks for it only
//       when there are bytes, and has left the ring before it is seen to be empty,
//       does not meet the change.
#include "fs/pipe.h"

#include "arch/current.h"
#include "kernel/atomic.h"
#include "lib/assert.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/kalloc.h"
#include "mm/usercopy.h"
#include "proc/proc.h"
#include "sync/waitq.h"

struct side {
  uint32 taken;       // [atomic] somebody reads, or writes
  uint32 open;        // [atomic]
  uint32 moved;       // [atomic] bytes so far, modulo 2^32: P1, P2
  struct waitq queue; // [lock] those who wait for the side, or on it
};

struct pipe {
  struct spinlock lock;                 // PIPE: sleeping and waking
  uint32 waiting;                       // [atomic] processes asleep, or about to be
  uint32 ends;                          // [atomic] open ends; the last one frees
  uint32 origin;                        // [P3] the count whose byte is ring[0]
  struct side side[2];                  // by enum pipe_end
  uint8 ring[] ALIGNED(8);
};

#define RING  2048  // a power of two, since the counters wrap
_Static_assert(sizeof(struct pipe) + RING <= PGSIZE, "a pipe is one frame");

struct pipe *pipe_create(void) {
  struct pipe *p = kalloc(FRAME_PIPE);
  if (p == NULL) return NULL;
  initlock(&p->lock, LOCK_PIPE);
  p->waiting = 0;
  p->ends = 2;
  p->origin = 0;
  for (int i = 0; i < 2; i++) {
    p->side[i] = (struct side){.open = true};
    waitq_init(&p->side[i].queue);
  }
  return p;
}

// --- waiting ----------------------------------------------------------------

// Wakes those who sleep on side `i`, after a change that may concern them.
static void notify(struct pipe *p, enum pipe_end i) {
  atomic_fence();
  if (likely(atomic_load(&p->waiting) == 0)) return;
  acquire(&p->lock);
  wakeup(&p->side[i].queue);
  release(&p->lock);
}

// Sleeps on side `i` until ready(p) holds.  Returns 0 or -EINTR.
static int wait_until(struct pipe *p, enum pipe_end i, bool (*ready)(struct pipe *)) {
  if (likely(ready(p))) return 0;
  int err = 0;
  acquire(&p->lock);
  atomic_add(&p->waiting, 1);
  atomic_fence();
  while (err == 0 && !ready(p)) err = sleep_killable(&p->side[i].queue, &p->lock);
  atomic_add(&p->waiting, -1);
  release(&p->lock);
  return err;
}

static bool take(struct side *s) {
  uint32 free = 0;
  return atomic_cas_acquire(&s->taken, &free, 1);
}
static bool take_reading(struct pipe *p) { return take(&p->side[PIPE_READ]); }
static bool take_writing(struct pipe *p) { return take(&p->side[PIPE_WRITE]); }

static int take_side(struct pipe *p, enum pipe_end i) {
  lockdebug_sleep(&p->side[i], LOCK_PIPEEND, false, LOCKDEBUG_PLACE);
  int err = wait_until(p, i, i == PIPE_READ ? take_reading : take_writing);
  if (err != 0) lockdebug_unsleep(&p->side[i]);
  return err;
}

static void give_back(struct pipe *p, enum pipe_end i) {
  lockdebug_unsleep(&p->side[i]);
  atomic_store_release(&p->side[i].taken, 0);
  notify(p, i);
}

void pipe_close(struct pipe *p, enum pipe_end end) {
  atomic_store_release(&p->side[end].open, false);
  notify(p, end == PIPE_READ ? PIPE_WRITE : PIPE_READ);
  // Acquire and release: the last one out sees the other's notify finished.
  if (atomic_add_acq_rel(&p->ends, -1) == 1) kfree(p);
}

// --- moving bytes -----------------------------------------------------------

// Bytes in the ring.  The other side's counter is read with acquire: its bytes,
// or the end of its use of them, come with it.
static uint32 filled(struct pipe *p) {
  return atomic_load_acquire(&p->side[PIPE_WRITE].moved) -
         atomic_load_acquire(&p->side[PIPE_READ].moved);
}

static bool can_read(struct pipe *p) {
  return filled(p) > 0 || !atomic_load_acquire(&p->side[PIPE_WRITE].open);
}

static bool can_write(struct pipe *p) {
  return filled(p) < RING || !atomic_load(&p->side[PIPE_READ].open);
}

// How many of n bytes lie in one piece at ring[i].
static uint64 piece(uint32 i, uint64 n) { return MIN(n, RING - i); }

// Moves the side on by n bytes and tells the other one.
static void publish(struct pipe *p, enum pipe_end mine, uint64 n) {
  struct side *s = &p->side[mine];
  atomic_store_release(&s->moved, (uint32)(s->moved + n));
  notify(p, mine == PIPE_READ ? PIPE_WRITE : PIPE_READ);
}

// Bytes to read, as the owner of the reading side sees it, which alone moves its counter.
static uint32 bytes_ready(struct pipe *p) {
  return atomic_load_acquire(&p->side[PIPE_WRITE].moved) - p->side[PIPE_READ].moved;
}

// The same for room, and the writing side.
static uint32 bytes_free(struct pipe *p) {
  return RING - (p->side[PIPE_WRITE].moved - atomic_load_acquire(&p->side[PIPE_READ].moved));
}

// Copies the first of `ready` bytes out of the ring, as far as the buffer goes.  Reading
// side taken.
static int64 drain(struct pipe *p, const struct io_buffer *io, uint64 ready) {
  uint32 at = p->side[PIPE_READ].moved - p->origin;
  uint64 n = MIN(ready, io->len);
  for (uint64 done = 0, chunk; done < n; done += chunk) {
    uint32 i = (at + done) % RING;
    chunk = piece(i, n - done);
    char *to = io_buffer_at(io, done, &chunk);
    memcpy(to, &p->ring[i], chunk);
  }
  if (n > 0) publish(p, PIPE_READ, n);
  return n;
}

// The next bytes into the buffer: how many, 0 when all writers are gone, or an errno.
static int64 read_into(struct pipe *p, const struct io_buffer *io) {
  int err = take_side(p, PIPE_READ);
  if (err != 0) return err;
  int64 result = 0;
  uint32 ready = bytes_ready(p);
  if (ready == 0) {
    result = wait_until(p, PIPE_READ, can_read);
    ready = bytes_ready(p);  // a writer that was seen to have left did so after its last bytes
  }
  if (result == 0 && ready > 0) result = likely(io->len > 0) ? drain(p, io, ready) : io->err;
  give_back(p, PIPE_READ);
  return result;
}

int64 pipe_read(struct pipe *p, struct vm *vm, uint64 va, uint64 n) {
  struct io_buffer io;
  if (n == 0) return 0;
  user_write_begin(&io, vm, va, MIN(n, (uint64)RING));
  int64 got = read_into(p, &io);
  user_io_end(&io, vm);
  return got;
}

// Copies the buffer from byte `done` on into the ring, as much as there is room for, at
// least one byte.  Writing side taken.
static int64 fill(struct pipe *p, const struct io_buffer *io, uint64 done) {
  uint32 room = bytes_free(p);
  if (room == 0) {
    int err = wait_until(p, PIPE_WRITE, can_write);
    if (err != 0) return err;
    room = bytes_free(p);
  }
  if (!atomic_load(&p->side[PIPE_READ].open)) return -EPIPE;
  uint32 at = p->side[PIPE_WRITE].moved;
  if (room == RING) p->origin = at - (io->offset + done) % sizeof(uint64);
  uint32 i = (at - p->origin) % RING;
  uint64 chunk = piece(i, MIN(io->len - done, (uint64)room));
  const char *from = io_buffer_at(io, done, &chunk);
  memcpy(&p->ring[i], from, chunk);
  publish(p, PIPE_WRITE, chunk);
  return chunk;
}

// All of the buffer, or as far as it gets: how many bytes, or an errno if none.
static int64 write_from(struct pipe *p, const struct io_buffer *io) {
  int err = take_side(p, PIPE_WRITE);
  if (err != 0) return err;
  uint64 done = 0;
  int64 moved = 0;
  while (done < io->len && moved >= 0) {
    moved = fill(p, io, done);
    if (moved > 0) done += moved;
  }
  give_back(p, PIPE_WRITE);
  return done > 0 ? (int64)done : moved;
}

// One buffer's worth: how many bytes, or an errno.
static int64 write_part(struct pipe *p, struct vm *vm, uint64 va, uint64 n) {
  struct io_buffer io;
  user_read_begin(&io, vm, va, n);
  int64 moved = likely(io.len > 0) ? write_from(p, &io) : io.err;
  user_io_end(&io, vm);
  return moved;
}

int64 pipe_write(struct pipe *p, struct vm *vm, uint64 va, uint64 n) {
  uint64 done = 0;
  int64 moved = 0;
  while (done < n && !(done > 0 && killed(myproc()))) {
    moved = write_part(p, vm, va + done, n - done);
    if (moved <= 0) break;
    done += moved;
  }
  return done > 0 ? (int64)done : moved;
}
