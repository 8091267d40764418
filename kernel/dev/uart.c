// The serial port (National Semiconductor PC16550D data sheet).
//
// Owns the port and the ring that feeds it.  Never waits for the port with interrupts
// off, except where nothing else can run: at boot, before there are interrupts, and in
// a panic (`polled`).
//
// The ring is fed to the port one FIFO's worth at a time: by a thread that adds and may
// sleep, as long as the port takes more, by any other adder once, and by the transmit
// interrupt.  RESERVE bytes of it are for those that cannot wait: they drop what does
// not fit, and threads that could wait cannot crowd them out.
//
// Locks: UART for the ring and the port, for one FIFO's worth of register accesses at
// a time.  It is last in rank, so that a message can be added with any lock held.
// PORTROOM for `writers`, the threads that add by waiting, first come first served.
// Waking takes RUNQ, which ranks before UART; so a thread that makes room, with
// whatever locks held, wakes nobody: the transmit interrupt does, with no lock held.
//
//   U1  The transmit interrupt is on while `wanted` is set, and while the ring holds
//       something, unless a thread that has added is still on its way to set_interrupts.
//
// No wakeup is lost.  The first writer looks for room and sets `wanted` under UART,
// with PORTROOM held until it sleeps.  By U1 an interrupt follows: when the FIFO has
// become empty or, if it is empty already, at once (data sheet: LSR bit 5 raises it
// while it is enabled; reading IIR would take it back, and is never done).  The handler
// clears `wanted` under UART, then takes PORTROOM: by then the writer sleeps.  It does
// so when there is room for a whole piece; until then the ring is not empty, and U1
// brings the next interrupt.  A writer that leaves, its bytes added or killed, wakes
// the next.
#include "dev/uart.h"

#include "arch/devtree.h"
#include "arch/memlayout.h"
#include "debug/stall.h"
#include "dev/plic.h"
#include "kernel/atomic.h"
#include "lib/assert.h"
#include "lib/printf.h"
#include "sync/spinlock.h"
#include "sync/waitq.h"

enum reg { DATA = 0, INT_ENABLE = 1, FIFO_CTL = 2, LINE_CTL = 3, LINE_STATUS = 5 };

#define INT_RX        0x01
#define INT_TX        0x02
#define FIFO_ON       0x07  // and emptied
#define LINE_8BITS    0x03
#define LINE_DIVISOR  0x80  // the first two registers set the speed
#define STATUS_RX     0x01  // a byte has come
#define STATUS_TX     0x20  // the transmit FIFO is empty
#define FIFO_DEPTH    16

#define RING         32768  // a power of two: a row for each process, and a long paste
#define RESERVE      29696  // of it, for bytes that cannot wait
#define PUSH_MOST    256    // FIFOs that a thread fills before it leaves it to the interrupt
#define INPUT_MOST   64    // bytes taken in one interrupt; the port asks again

static struct spinlock lock = SPINLOCK(UART);
static char ring[RING];                // [lock]
static uint32 head, tail;              // [lock] taken and added so far
static uint8 enabled;                  // [lock] what INT_ENABLE holds
static bool polled = true;             // [lock] no interrupts: boot, or a panic
static bool in_line;                   // [lock] the last byte added was no newline
static bool wanted;                    // [lock] the first writer sleeps for room
static uint32 lost;                    // [lock] messages dropped and not told of yet
static uint32 owner;                   // [atomic] lock_tag of the hart that has taken over
static void (*receive)(char c);        // [const after boot]

// A thread that adds, on its own stack.
struct writer {
  struct list link;   // [room_lock] in writers
  struct waitq turn;  // [room_lock]
};

static struct spinlock room_lock = SPINLOCK(PORTROOM);
static struct list writers = LIST_INIT(writers);  // [room_lock] in order of arrival

static volatile uint8 *reg(enum reg r) { return (volatile uint8 *)pa_to_va(machine.uart.base) + r; }

static bool tx_ready(void) { return *reg(LINE_STATUS) & STATUS_TX; }

void uart_init(void) {
  *reg(INT_ENABLE) = 0;
  *reg(LINE_CTL) = LINE_DIVISOR;
  *reg(DATA) = 3;  // 38.4 kbit/s, for real ports
  *reg(INT_ENABLE) = 0;
  *reg(LINE_CTL) = LINE_8BITS;
  *reg(FIFO_CTL) = FIFO_ON;
}

// --- the ring: UART is held ---------------------------------------------------

static uint32 room(void) { return RING - (tail - head); }

static void add(const char *text, size_t n) {
  ASSERT(n <= room());
  for (; n > 0; text++, n--) {
    ring[tail++ % RING] = *text;
    in_line = *text != '\n';
  }
}

static void add_message(const char *text, size_t n) {
  if (in_line) add("\n", 1);
  add(text, n);
}

// Fills the FIFO if it is empty.  Returns whether it was, and there was something to send.
static bool load(void) {
  if (head == tail || !tx_ready()) return false;
  for (int i = 0; i < FIFO_DEPTH && head != tail; i++) *reg(DATA) = ring[head++ % RING];
  return true;
}

static void drain(void) {
  while (head != tail) load();
}

// U1.
static void set_interrupts(void) {
  uint8 want = INT_RX | (head != tail || wanted ? INT_TX : 0);
  if (want == enabled) return;
  enabled = want;
  *reg(INT_ENABLE) = want;
}

static void feed(void) {
  load();
  set_interrupts();
}

// Says how many messages were dropped, once the reserve is free again.
static void tell_lost(void) {
  if (lost == 0 || room() < RESERVE) return;
  char notice[48];
  int n = snprintf(notice, sizeof(notice), "%u kernel messages were lost\n", lost);
  lost = 0;
  add_message(notice, n);
}

// --- those that cannot wait ---------------------------------------------------

static void send_now(const char *text, size_t n) {
  drain();
  add_message(text, n);
  drain();
}

static bool is_mine(void) { return atomic_load(&owner) == this_hart()->lock_tag; }

// After a loss messages are dropped until it has been told, so that it is told where
// they are missing.
void message_write(const char *text, size_t n) {
  if (is_mine()) {
    send_now(text, n);
    return;
  }
  acquire(&lock);
  if (polled) {
    send_now(text, n);
  } else {
    tell_lost();
    if (lost > 0 || room() < n + in_line)
      lost++;
    else
      add_message(text, n);
    feed();
  }
  release(&lock);
}

void uart_emit(const char *text, size_t n) {
  acquire(&lock);
  if (room() >= n) add(text, n);
  feed();
  release(&lock);
}

// --- those that wait ----------------------------------------------------------

// What a writer is there for: tried under UART until it returns true.
typedef bool (*attempt)(const char *text, size_t n);

static bool try_bytes(const char *text, size_t n) {
  if (room() < n + RESERVE) return false;
  add(text, n);
  return true;
}

static bool try_message(const char *text, size_t n) {
  if (room() < n + 1 + RESERVE) return false;
  add_message(text, n);
  return true;
}

static bool try_empty(const char *text, size_t n) {
  (void)text, (void)n;
  return head == tail && tx_ready();
}

static bool perform(attempt try, const char *text, size_t n) {
  acquire(&lock);
  bool done = try(text, n);
  if (!done) {
    wanted = true;
    feed();
  }
  release(&lock);
  return done;
}

// PORTROOM is held.
static struct writer *first_writer(void) { return list_entry(writers.next, struct writer, link); }
static void wake_first_writer(void) {
  if (!list_empty(&writers)) wakeup(&first_writer()->turn);
}

static int wait_and(attempt try, const char *text, size_t n) {
  struct writer me;
  int err = 0;
  lockdebug_none_after(LOCK_NONE);
  waitq_init(&me.turn);
  acquire(&room_lock);
  list_push_back(&writers, &me.link);
  while (first_writer() != &me || !perform(try, text, n)) {
    stall_outside_begin();
    err = sleep_killable(&me.turn, &room_lock);
    stall_outside_end();
    if (err) break;
  }
  list_remove(&me.link);
  wake_first_writer();
  release(&room_lock);
  return err;
}

// Sends while the port takes it; the interrupt does the rest.
static void push(void) {
  bool more = true;
  for (int i = 0; i < PUSH_MOST && more; i++) {
    acquire(&lock);
    more = load();
    release(&lock);
  }
  acquire(&lock);
  set_interrupts();
  release(&lock);
}

int uart_write(const char *text, size_t n) {
  ASSERT(n <= UART_PIECE);
  int err = wait_and(try_bytes, text, n);
  if (err == 0) push();
  return err;
}

int message_wait(const char *text, size_t n) {
  int err = wait_and(try_message, text, n);
  if (err == 0) {
    push();
    return 0;
  }
  acquire(&lock);
  lost++;
  feed();
  release(&lock);
  return err;
}

int message_drain(void) { return wait_and(try_empty, NULL, 0); }

// --- panics and interrupts ----------------------------------------------------

// Without the lock: the other harts have been stopped, and one of them may hold it.
void uart_take_over(void) {
  atomic_store(&owner, this_hart()->lock_tag);
  polled = true;
  in_line = ring[(tail - 1) % RING] != '\n';  // its last writer may have been stopped halfway
  drain();
  tell_lost();
}

static void interrupt(void) {
  for (int i = 0; i < INPUT_MOST && (*reg(LINE_STATUS) & STATUS_RX); i++) receive(*reg(DATA));
  acquire(&lock);
  load();
  tell_lost();
  bool wake = wanted && room() >= UART_PIECE + RESERVE;
  if (wake) wanted = false;
  set_interrupts();
  release(&lock);
  if (!wake) return;
  acquire(&room_lock);
  wake_first_writer();
  release(&room_lock);
}

void uart_enable_input(void (*input)(char c)) {
  receive = input;
  bool routed = plic_register(&machine.uart, interrupt);
  if (!routed) panic("no hart can take the interrupts of the serial port");
  acquire(&lock);
  polled = false;
  set_interrupts();
  release(&lock);
}
