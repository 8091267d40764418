// The engine below printf, for output that is put together from several formats
// and still goes out in one write().
#pragma once

#include <stdarg.h>

#include "user/user.h"

#define FORMAT_BUFFER  512  // bytes that go out at once

struct output {
  int fd;
  int used;
  char bytes[FORMAT_BUFFER];
};

// Starts an empty output to fd.
void format_begin(struct output *out, int fd);

// Adds formatted text; a full buffer is written.
void format_add(struct output *out, const char *format, ...) PRINTF_LIKE(2);
void format_addv(struct output *out, const char *format, va_list args);

// Writes what is still in the buffer.
void format_end(struct output *out);
