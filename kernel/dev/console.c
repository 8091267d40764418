// The console.
//
// Bytes typed are edited in place at the end of a ring and become readable a line at a
// time, at a newline or at ^D; of a line of more than LINE_MAX bytes, that many at a time,
// and then only what is left can be edited.  A ^D is kept in the ring as a mark: alone it
// reads as end of file, behind other bytes it ends that read and then reads as end of
// file.  Escape sequences, which keys such as arrows send, are left out.
//
// The port is always read.  While TYPE_AHEAD bytes wait to be read, a line that begins is
// refused as a whole, to its newline: it is not echoed, there is a BEL, and for the first
// of a row of them a message.  So no part of it is added to another line.  Only a line that
// is longer than the ring is given up later: what no reader has had of it is taken back;
// if that is not all, it ends there.
//
// ^C drops what no reader has had, but for the rest of a line that a reader has begun.  A
// shell that waits for a line gets an empty one, so that it prompts again; else the
// foreground job ends (proc/job.h).
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
#include "proc/job.h"
#include "proc/proc.h"
#include "sync/waitq.h"

#define RING        32768u  // a power of two
#define TYPE_AHEAD  16384   // bytes that may wait when a line begins
#define LINE_MAX    512     // bytes of a line that can be edited, and that one read gets
#define SHORT       72      // columns: a longer line may have been shown in several rows

#define CTRL(letter)  ((letter) - '@')
#define DELETE        0x7f
#define BEL           "\a"

// Where in an escape sequence the next byte stands (ECMA-48): ESC [ parameters letter, or
// ESC O letter.
enum escape { NO_ESCAPE, AFTER_ESC, IN_PARAMETERS, LAST_BYTE };

static struct spinlock lock = SPINLOCK(CONSOLE);
static char ring[RING];                        // [lock]
static uint32 next_read;                       // [lock] These positions only grow.
static uint32 line;                            // [lock] where the line being typed began
static uint32 readable;                        // [lock] end of what readers may have
static uint32 end;                             // [lock] where the next byte goes
static bool refusing;                          // [lock] up to the end of this line
static bool told;                              // [lock] of the first one refused
static enum escape escape;                     // [lock]
static uint32 shells_waiting;                  // [lock] for a line
static struct waitq readers = WAITQ(readers);  // [lock]

// --- typing: the lock is held -------------------------------------------------

static bool ends_line(char c) { return c == '\n' || c == CTRL('D'); }

static void echo(const char *text, size_t n) { uart_emit(text, n); }

static void hand_over(void) {
  readable = end;
  wakeup(&readers);
}

static void end_line(char c) {
  ring[end++ % RING] = c;
  line = end;
  hand_over();
}

static void refuse(char c) {
  echo(BEL, 1);
  if (!told)
    printf("console: %u bytes wait to be read; lines typed now are lost\n", end - next_read);
  told = true;
  refusing = !ends_line(c);
}

// The ring is full in the middle of a line.  One byte of it is left for its end.
static void give_up_line(char c) {
  if ((int)(line - next_read) >= 0)
    readable = end = line;
  else
    end_line('\n');
  refuse(c);
}

static void add(char c) {
  if (refusing) {
    refusing = !ends_line(c);
    return;
  }
  if (end == line && end - next_read >= TYPE_AHEAD) {
    refuse(c);
    return;
  }
  if (end - next_read == RING - 1) {
    give_up_line(c);
    return;
  }
  if (end == line) told = false;
  if (c != CTRL('D')) echo(&c, 1);
  if (ends_line(c)) {
    end_line(c);
    return;
  }
  if (end - readable == LINE_MAX) hand_over();
  ring[end++ % RING] = c;
}

static void erase_one(void) {
  if (end == readable) return;
  end--;
  echo("\b \b", 3);
}

// On a terminal, "\b" does not lead from one row back to the one above.
static void erase_all(void) {
  if (end - readable > SHORT) {
    end = readable;
    echo("^U\n", 3);
  }
  while (end != readable) erase_one();
}

// Whether a reader has had the first bytes of a line and not its end.
static bool line_is_begun(void) {
  return next_read != 0 && !ends_line(ring[(next_read - 1) % RING]);
}

// Keeps the rest of a line that has been begun; if its end is not there, it ends here.
static void drop_unread(void) {
  bool begun = line_is_begun();
  uint32 keep = next_read;
  while (begun && keep != readable) begun = !ends_line(ring[keep++ % RING]);
  line = readable = end = keep;
  if (begun) end_line('\n');
}

// Returns whether a job is to be ended.
static bool interrupt(void) {
  refusing = told = false;
  drop_unread();
  echo("^C\n", 3);
  bool job = shells_waiting == 0;
  if (job)
    job_interrupt_ask();
  else if (readable == next_read)
    end_line('\n');
  return job;
}

// Whether c is part of an escape sequence.  Control characters never are.
static bool skip_escape(char c) {
  enum escape was = escape;
  escape = NO_ESCAPE;
  if (c == CTRL('[')) {
    escape = AFTER_ESC;
    return true;
  }
  if (c < ' ' || c == DELETE) return false;
  switch (was) {
    case AFTER_ESC:
      if (c == '[') escape = IN_PARAMETERS;
      if (c == 'O') escape = LAST_BYTE;
      return escape != NO_ESCAPE;
    case IN_PARAMETERS:
      if (c < '@') escape = IN_PARAMETERS;
      return true;
    default:
      return was == LAST_BYTE;
  }
}

// Returns whether a job is to be ended.
static bool edit(char c) {
  if (skip_escape(c)) return false;
  switch (c) {
    case CTRL('C'):
      return interrupt();
    case CTRL('U'):
      erase_all();
      break;
    case CTRL('H'):
    case DELETE:
      erase_one();
      break;
    case 0:
      break;
    default:
      add(c == '\r' ? '\n' : c);
  }
  return false;
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
  bool job = edit(c);
  release(&lock);
  if (job) job_interrupt_start();
}

// --- reading ------------------------------------------------------------------

// Moves readable bytes to the buffer, to the end of a line at most.  Returns how many, 0
// for a ^D, or the errno of a buffer that can hold none.  The lock is held.
static int64 take_bytes(const struct io_buffer *io) {
  uint64 got = 0;
  while (next_read != readable) {
    char c = ring[next_read % RING];
    bool eof = c == CTRL('D');
    if (eof && got > 0) break;  // it reads as end of file by itself, next time
    if (!eof && got == io->len) break;
    next_read++;
    if (eof) return 0;
    uint64 one = 1;
    *io_buffer_at(io, got++, &one) = c;
    if (c == '\n') break;
  }
  return got > 0 ? (int64)got : io->err;
}

// The lock is held.
static int wait_for_bytes(void) {
  int err = 0;
  bool shell = !line_is_begun() && job_line_begins();
  shells_waiting += shell;
  stall_outside_begin();
  while (next_read == readable && err == 0) err = sleep_killable(&readers, &lock);
  stall_outside_end();
  shells_waiting -= shell;
  return err;
}

static int console_read(uint64 va, int n) {
  struct io_buffer io;
  if (n <= 0) return 0;
  user_write_begin(&io, myproc()->vm, va, MIN(n, LINE_MAX));
  acquire(&lock);
  int64 got = wait_for_bytes();
  if (got == 0) got = take_bytes(&io);
  release(&lock);
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
  devices[DEV_CONSOLE] = (struct device){.read = console_read, .write = console_write};
  uart_enable_input(input);
}
