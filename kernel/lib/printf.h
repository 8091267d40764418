// Kernel messages: formatted, whole lines, on the console.
#pragma once

#include <stdarg.h>

#include "lib/types.h"

// Where messages go: writes n bytes, starting on a line of their own and not torn
// by other harts.  Any context; never sleeps.  Implemented by dev/uart.c.
void message_write(const char *text, size_t n);

// Writes one message, ended by a newline.  A message starts on a line of its own and is not torn
// by other harts.  Knows %d %u %x %lx %ld %lu %p %s %c %% with width, zero and
// left padding, and a precision for %s.  Longer ones are cut.  Any context; never
// sleeps.
void printf(const char *format, ...) PRINTF_LIKE(1);

// Formats into out of `size` bytes, cut to fit, always terminated; returns the
// length without the NUL.
int snprintf(char *out, size_t size, const char *format, ...) PRINTF_LIKE(3);
int vsnprintf(char *out, size_t size, const char *format, va_list args);
