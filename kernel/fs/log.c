// Admission to the log, and groups: which operations commit together.
//
// As soon as an operation that wrote ends, the group is closing: nobody else is
// admitted, the last one under way commits, and those that came meanwhile form
// the next group.  So a commit waits for the operations of its time only, and
// under load one commit carries several.  Admission is in order of arrival: a
// large reservation is not overtaken for ever.  Lock: LOG.
#include "fs/log.h"

#include "dev/disk.h"
#include "fs/buf.h"
#include "fs/journal.h"
#include "fs/super.h"
#include "kernel/atomic.h"
#include "lib/assert.h"
#include "lib/errno.h"
#include "sync/lockdebug.h"
#include "sync/waitq.h"

static struct log {
  struct spinlock lock;     // LOG
  uint32 capacity;          // [const after mount]
  int refusal;              // [const after mount] why nothing may be written, or 0
  uint32 under_way;         // [lock] operations
  uint32 reserved;          // [lock] blocks that they may still add
  bool closing;             // [lock] a commit is wanted or under way
  struct list arrivals;     // [lock] operations not yet admitted, in order
  struct waitq committed;   // [lock]
  struct list waiting;      // [lock] operations ended, not yet committed
  struct group group;       // [lock], while committing: of the process that commits
} OWN_LINE log = {
    .lock = SPINLOCK(LOG),
    .arrivals = LIST_INIT(log.arrivals),
    .committed = WAITQ(log.committed),
    .waiting = LIST_INIT(log.waiting),
};

uint32 log_capacity(void) { return log.capacity; }

int log_init(void) {
  int err = journal_recover();
  if (err != 0) return err;
  // The rest of the cache must do for operations and inodes (fs/buf.h).
  log.capacity = MIN(MIN(sb.nlog - 1, JOURNAL_MAX), (bcache_size() - NINODE) / 2);
  log.refusal = disk_read_only() ? -EACCES : 0;
  return 0;
}

// Writes the group to the disk, with the lock dropped; nobody is under way and,
// since the group is closing, nobody comes.  Returns as journal_commit.
static int commit(bool *durable) {
  ASSERT(log.under_way == 0 && log.closing);
  release(&log.lock);
  int err = journal_commit(&log.group, durable);
  acquire(&log.lock);
  log.closing = false;
  return err;
}

// Admits the caller, whose turn it is, if `blocks` more fit: returns 0.  -EAGAIN:
// not yet.  Lock held.
static int admit(uint32 blocks) {
  if (log.closing) return -EAGAIN;
  bool fits = log.group.count + log.reserved + blocks <= log.capacity;
  if (log.under_way == 0 && (!fits || journal_is_stuck(&log.group))) {
    // An earlier commit failed and left its blocks here.
    bool durable;
    log.closing = true;
    int err = commit(&durable);
    if (err != 0) return err;
    fits = true;
  }
  if (!fits) return -EAGAIN;
  log.under_way++;
  log.reserved += blocks;
  return 0;
}

// Lock held.
static struct op *first_arrival(void) { return list_entry(log.arrivals.next, struct op, link); }
static void wake_first_arrival(void) {
  if (!list_empty(&log.arrivals)) wakeup(&first_arrival()->turn);
}

int begin_op(struct op *op, uint32 blocks) {
  ASSERT(blocks <= log.capacity);
  if (log.refusal != 0) return log.refusal;
  lockdebug_sleep(&log, LOCK_FSOP, NO_PEERS, __builtin_return_address(0));
  int err;
  waitq_init(&op->turn);
  acquire(&log.lock);
  list_push_back(&log.arrivals, &op->link);
  while ((err = first_arrival() == op ? admit(blocks) : -EAGAIN) == -EAGAIN)
    sleep(&op->turn, &log.lock);
  list_remove(&op->link);
  wake_first_arrival();  // it may be admitted, too
  release(&log.lock);
  op->room = blocks;
  op->wrote = false;
  if (err != 0) lockdebug_unsleep(&log);
  return err;
}

void log_write(struct op *op, struct buf *b) {
  op->wrote = true;
  // Set by this or another operation of this group, which cannot commit before
  // the caller ends.
  if (atomic_load(&b->logged)) return;
  acquire(&log.lock);
  if (!b->logged) {
    ASSERT(op->room > 0);  // L2
    op->room--;
    log.reserved--;
    atomic_store(&b->logged, true);
    bhold(b);
    log.group.blocks[log.group.count++] = b;
  }
  release(&log.lock);
}

// Tells everyone in the group how it went.  Lock held.
static void announce(int result) {
  while (!list_empty(&log.waiting)) {
    struct op *op = list_entry(list_pop_front(&log.waiting), struct op, link);
    op->result = result;
    op->done = true;
  }
  wakeup(&log.committed);
}

int end_op(struct op *op) {
  acquire(&log.lock);
  log.under_way--;
  log.reserved -= op->room;
  op->result = 0;
  op->done = !op->wrote;
  if (op->wrote) {
    list_push_back(&log.waiting, &op->link);
    log.closing = true;
  }
  if (log.under_way == 0 && log.closing) {
    bool durable = false;
    int err = commit(&durable);
    announce(durable ? 0 : err);
  }
  wake_first_arrival();
  while (!op->done) sleep(&log.committed, &log.lock);
  release(&log.lock);
  lockdebug_unsleep(&log);
  return op->result;
}

// begin_op has written the group if it was stuck.  Whatever is in it now is written as a
// change of this operation would be.
int log_sync(void) {
  struct op op;
  if (log.refusal != 0) return 0;  // nothing is ever changed
  int err = begin_op(&op, 0);
  if (err != 0) return err;
  acquire(&log.lock);
  op.wrote = log.group.count > 0;
  release(&log.lock);
  return end_op(&op);
}
