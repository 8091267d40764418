// Kernel messages: formatted, whole lines, on the console.
#pragma once

#include <stdarg.h>

#include "lib/types.h"

// Where messages go, implemented by dev/uart.c: they write n bytes, starting on a line
// of their own and not torn by other harts.  Without room message_write drops the message
// and counts it, as for printf, and message_wait sleeps, as for printf_blocking.
void message_write(const char *text, size_t n);
int message_wait(const char *text, size_t n);

// Sleeps until all messages and all other output have left the port.  Returns 0, or
// -EINTR when the process was killed first.  Process context, no lock held.
int message_drain(void);

// Writes one message, ended by a newline.  A message starts on a line of its own and is
// not torn by other harts.  Knows %d %u %x %lx %ld %lu %p %s %c %% with width, zero and
// left padding, and a precision for %s.  Longer ones are cut.  Any context, any lock
// held; never sleeps.  Where the port is so far behind that there is no room for the
// message, it is lost, and a later line says how many were.  At boot, before there are
// interrupts, and in a panic it waits for the port instead.
void printf(const char *format, ...) PRINTF_LIKE(1);

// The same for a message that a process causes: it sleeps until there is room, so that
// the process, and no other, bears that the port is slow.  Returns 0, or -EINTR when the
// process was killed first; the message is then counted as lost.  Process context,
// interrupts on, no lock held.
int printf_blocking(const char *format, ...) PRINTF_LIKE(1);

// Formats into out of `size` bytes, cut to fit, always terminated; returns the
// length without the NUL.
int snprintf(char *out, size_t size, const char *format, ...) PRINTF_LIKE(3);
int vsnprintf(char *out, size_t size, const char *format, va_list args);
