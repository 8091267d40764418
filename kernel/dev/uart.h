// The serial port: an NS16550A with FIFOs, interrupts both ways.
#pragma once

#include "lib/types.h"

// Sets up the port, output only.  Early in boot.
void uart_init(void);

// From now on `input` gets each byte received, in interrupt context.
void uart_enable_input(void (*input)(char c));

// Sends n bytes as one piece if they are few (UART_PIECE).  Sleeps while the
// transmit ring is full.
#define UART_PIECE  1024UL
void uart_write(const char *text, size_t n);

// The same without sleeping: waits for the port where the ring is full.  Any
// context.
void uart_emit(const char *text, size_t n);

// Waits until everything has been sent.
void uart_flush(void);

// A panic, interrupts off: the ring goes out now, and from here on this hart alone prints,
// without locks or interrupts.
void uart_take_over(void);
