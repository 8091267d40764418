// THE lock order.  A thread that holds locks may only take one further down
// this list; a DEBUG build panics otherwise.  Sleeping locks come first, since
// nobody may sleep with a spinlock held.
//
//   LOCK(class, what it protects)
//
// Two locks of one class may be held together only where the class's owner
// names an order among them: acquire_nested, which does not know that order, or
// acquire_ascending, for locks in order of address, which is checked.
#pragma once

#define LOCK_CLASSES(LOCK)                                                  \
  /* sleeping */                                                            \
  LOCK(VM, "layout of one address space (reader-writer)")                   \
  LOCK(PIPEEND, "one end of a pipe while it is read or written")            \
  LOCK(OFFSET, "where the next transfer of one open file begins")           \
  LOCK(FSOP, "admission to the log: begin_op to end_op")                    \
  LOCK(TREE, "waiting for what may be a directory with another one locked") \
  LOCK(INODE, "one inode's fields and data; parent before child")           \
  /* spinning */                                                            \
  LOCK(SLEEPLOCK, "inside of a sleeping lock")                              \
  LOCK(RWLOCK, "inside of a reader-writer lock")                            \
  LOCK(FAMILY, "children of one process and their exit status")             \
  LOCK(PROCTABLE, "free process slots, pids")                               \
  LOCK(LOG, "state of the log")                                             \
  LOCK(FTABLE, "one process's open files and directory")                    \
  LOCK(ITABLE, "which inodes are in memory")                                \
  LOCK(FSALLOC, "which blocks and inodes of the disk are free")             \
  LOCK(BCACHE, "buffer cache: choice of a victim, then one hash bucket")    \
  LOCK(PIPE, "one pipe")                                                    \
  LOCK(FUTEX, "threads that wait at user addresses of one hash")            \
  LOCK(CONSOLE, "line being typed")                                         \
  LOCK(PORTROOM, "threads that wait for room at the serial port")           \
  LOCK(DISK, "one disk's request ring")                                     \
  LOCK(LEAF, "512 entries of one leaf page table")                          \
  LOCK(TIMER, "one hart's queue of sleepers")                               \
  LOCK(RUNQ, "one hart's queue of ready processes")                         \
  LOCK(SLAB, "one object cache")                                            \
  LOCK(FRAMES, "one hart's cache of free frames")                            \
  LOCK(POOL, "free frames of no hart")                                      \
  LOCK(UART, "the serial port and its transmit ring")

// Which locks of its own class a thread may hold when it takes one.
enum lock_peers { NO_PEERS, ANY_PEERS, LOWER_PEERS };  // LOWER: at lower addresses

enum lock_class {
  LOCK_NONE,
#define LOCK(name, what) LOCK_##name,
  LOCK_CLASSES(LOCK)
#undef LOCK
  LOCK_COUNT
};
