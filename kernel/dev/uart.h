// The serial port: an NS16550A with FIFOs, interrupts both ways.
#pragma once

#include "lib/types.h"

// Sets up the port, output only.  Early in boot.
void uart_init(void);

// From now on `input` gets each byte received, in interrupt context.
void uart_enable_input(void (*input)(char c));

// Sends n bytes, UART_PIECE at most, as one piece.  Sleeps while the transmit ring has
// no room for them; writers are served in order of arrival.  Returns 0, or -EINTR when
// the process was killed first; then nothing has been sent.  Process context, no lock
// held.
#define UART_PIECE  1024UL
int uart_write(const char *text, size_t n);

// The same without sleeping: drops the bytes where the ring is full.  Any context.
void uart_emit(const char *text, size_t n);

// A panic, interrupts off: the ring goes out now, and from here on this hart alone prints,
// without locks or interrupts.
void uart_take_over(void);
