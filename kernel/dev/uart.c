// The serial port (National Semiconductor PC16550D data sheet).
//
// Output goes through a ring.  Whoever adds to it also feeds the port; what does
// not fit is fed by the transmit interrupt, which is on only while the ring holds
// something.  Lock: UART, for the ring and the port.
#include "dev/uart.h"

#include "arch/memlayout.h"
#include "debug/stall.h"
#include "dev/plic.h"
#include "kernel/atomic.h"
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

#define RING  4096  // a power of two

#define TAKE_ROUNDS  1000000  // of waiting for the lock, in a panic

static struct spinlock lock = SPINLOCK(UART);
static char ring[RING];                // [lock]
static uint32 head, tail;              // [lock] taken and added so far
static bool tx_interrupt;              // [lock] the transmit interrupt is on
static bool in_line;                   // [lock] the last byte added was no newline
static struct waitq space = WAITQ(space);  // [lock]
static uint32 owner;                   // [atomic] lock_tag of the hart that has taken over
static void (*receive)(char c);        // [const after boot]

static volatile uint8 *reg(enum reg r) { return (volatile uint8 *)pa_to_va(UART0) + r; }

static bool tx_ready(void) { return *reg(LINE_STATUS) & STATUS_TX; }

void uart_init(void) {
  *reg(INT_ENABLE) = 0;
  *reg(LINE_CTL) = LINE_DIVISOR;
  *reg(DATA) = 3;  // 38.4 kbit/s, for real ports
  *reg(INT_ENABLE) = 0;
  *reg(LINE_CTL) = LINE_8BITS;
  *reg(FIFO_CTL) = FIFO_ON;
}

// Gives the port what it takes; leaves the transmit interrupt on for the rest.
static void feed(void) {
  while (head != tail && tx_ready())
    for (int i = 0; i < FIFO_DEPTH && head != tail; i++) *reg(DATA) = ring[head++ % RING];
  bool want = head != tail;
  if (want != tx_interrupt && receive != NULL) {
    tx_interrupt = want;
    *reg(INT_ENABLE) = INT_RX | (want ? INT_TX : 0);
  }
}

static void drain(void) {
  while (head != tail) feed();
}

static void add(const char *text, size_t n) {
  for (; n > 0; text++, n--) {
    if (tail - head == RING) drain();
    ring[tail++ % RING] = *text;
    in_line = *text != '\n';
  }
}

void uart_write(const char *text, size_t n) {
  acquire(&lock);
  while (n > 0) {
    size_t piece = MIN(n, UART_PIECE);
    stall_outside_begin();
    while (RING - (tail - head) < piece) sleep(&space, &lock);
    stall_outside_end();
    add(text, piece);
    feed();
    text += piece;
    n -= piece;
  }
  release(&lock);
}

static bool is_mine(void) { return atomic_load(&owner) == this_hart()->lock_tag; }

static void send_now(const char *text, size_t n) {
  add(text, n);
  drain();
}

void uart_emit(const char *text, size_t n) {
  if (is_mine()) {
    send_now(text, n);
    return;
  }
  acquire(&lock);
  add(text, n);
  feed();
  release(&lock);
}

void message_write(const char *text, size_t n) {
  bool locked = !is_mine();
  if (locked) acquire(&lock);
  if (in_line) add("\n", 1);
  add(text, n);
  if (locked) {
    feed();
    release(&lock);
  } else {
    drain();
  }
}

void uart_flush(void) {
  acquire(&lock);
  drain();
  release(&lock);
}

// The lock is kept, so that no other hart takes bytes out of the ring meanwhile; whoever
// wants it waits until machine mode stops him.  One that keeps it for long will not let go.
void uart_take_over(void) {
  uint32 me = this_hart()->lock_tag;
  if (!holding(&lock))
    for (int i = 0; i < TAKE_ROUNDS && !spinlock_take(&lock, me); i++) cpu_relax();
  atomic_store(&owner, me);
  receive = NULL;
  drain();
}

static void interrupt(void) {
  while (*reg(LINE_STATUS) & STATUS_RX) receive(*reg(DATA));
  acquire(&lock);
  feed();
  if (RING - (tail - head) >= UART_PIECE) wakeup(&space);
  release(&lock);
}

void uart_enable_input(void (*input)(char c)) {
  plic_register(UART0_IRQ, interrupt);
  acquire(&lock);
  receive = input;
  *reg(INT_ENABLE) = INT_RX;
  tx_interrupt = false;
  feed();
  release(&lock);
}
