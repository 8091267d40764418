// The console.
//
// Bytes typed are edited in place at the end of a ring and become readable a line
// at a time: at a newline, at ^D, or when the line is full.  A byte that finds the
// ring full is refused and not echoed.  A ^D is kept in the ring as a mark: alone
// it reads as end of file, behind other bytes it ends that read and then reads as
// end of file.
//
// A reader makes its user pages ready before it waits, and then copies bytes under the
// lock into a buffer that cannot fault.  So a bad address loses nothing.  Lock: CONSOLE.
#include "dev/console.h"

#include "debug/stall.h"
#include "dev/device.h"
#include "dev/uart.h"
#include "kernel/procinfo.h"
#include "lib/errno.h"
#include "lib/printf.h"
#include "mm/kalloc.h"
#include "mm/usercopy.h"
#include "proc/proc.h"
#include "sync/waitq.h"

#define RING      1024  // bytes typed ahead; a power of two
#define LINE_MAX  128

#define CTRL(letter)  ((letter) - '@')
#define DELETE        0x7f

static struct spinlock lock = SPINLOCK(CONSOLE);
static char ring[RING];                          // [lock]
static uint32 next_read, line_start, line_end;   // [lock] positions that only grow
static struct waitq readers = WAITQ(readers);    // [lock]

static void erase_one(void) {
  line_end--;
  uart_emit("\b \b", 3);
}

static void commit_line(void) {
  line_start = line_end;
  wakeup(&readers);
}

static void add(char c) {
  if (line_end - next_read == RING) return;
  ring[line_end++ % RING] = c;
  if (c != CTRL('D')) uart_emit(&c, 1);
  if (c == '\n' || c == CTRL('D') || line_end - line_start == LINE_MAX) commit_line();
}

// ^P.  Without the lock: it takes those of the processes.  The ring of the port has room
// for a row of each.
static void print_processes(void) {
  struct procinfo *rows = kalloc(FRAME_OTHER);
  if (rows == NULL) return;
  uint32 slot = 0;
  for (int n; (n = proc_list(&slot, rows, PGSIZE / sizeof(*rows))) > 0;)
    for (int i = 0; i < n; i++)
      printf("%d %c hart %d %s\n", rows[i].pid, rows[i].state, rows[i].hart, rows[i].name);
  kfree(rows);
}

static void input(char c) {
  if (c == CTRL('P')) {
    print_processes();
    return;
  }
  acquire(&lock);
  switch (c) {
    case CTRL('U'):
      while (line_end != line_start) erase_one();
      break;
    case CTRL('H'):
    case DELETE:
      if (line_end != line_start) erase_one();
      break;
    case 0:
      break;
    default:
      add(c == '\r' ? '\n' : c);
  }
  release(&lock);
}

// Moves readable bytes to the buffer, to the end of a line at most.  Returns how many, 0
// for a ^D, or the errno of a buffer that can hold none.  The lock is held.
static int64 take_bytes(const struct io_buffer *io) {
  uint64 got = 0;
  while (next_read != line_start) {
    char c = ring[next_read % RING];
    bool end = c == CTRL('D');
    if (end && got > 0) break;  // it reads as end of file by itself, next time
    if (!end && got == io->len) break;
    next_read++;
    if (end) return 0;
    uint64 one = 1;
    *io_buffer_at(io, got++, &one) = c;
    if (c == '\n') break;
  }
  return got > 0 ? (int64)got : io->err;
}

static int64 wait_for_line(const struct io_buffer *io) {
  int64 result = 0;
  acquire(&lock);
  stall_outside_begin();
  while (next_read == line_start && result == 0) result = sleep_killable(&readers, &lock);
  stall_outside_end();
  if (result == 0) result = take_bytes(io);
  release(&lock);
  return result;
}

static int console_read(uint64 va, int n) {
  struct io_buffer io;
  if (n <= 0) return 0;
  user_write_begin(&io, myproc()->vm, va, MIN(n, LINE_MAX));
  int64 got = wait_for_line(&io);
  user_io_end(&io, myproc()->vm);
  return got;
}

static int console_write(uint64 va, int n) {
  char buf[256];
  int done = 0;
  while (done < n) {
    int piece = MIN(n - done, (int)sizeof(buf));
    piece = MIN(piece, (int)(PGSIZE - (va + done) % PGSIZE));  // all of it can be had, or none
    int err = copyin(myproc()->vm, buf, va + done, piece);
    if (err == 0) err = kill_pending() ? -EINTR : uart_write(buf, piece);
    if (err) return done > 0 ? done : err;
    done += piece;
  }
  return done;
}

void console_init(void) {
  devices[DEV_CONSOLE] = (struct device){console_read, console_write};
  uart_enable_input(input);
}
