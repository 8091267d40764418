// Formatting.  One conversion is read into a struct, rendered into a small buffer
// and then padded, whatever its kind.
#include "lib/printf.h"

#include "lib/string.h"

#define MESSAGE_MAX  256  // bytes of one message

struct sink {
  char *out;
  size_t size, used;  // `used` may pass `size`: then the text is cut
};

static void put(struct sink *s, char c) {
  if (s->used + 1 < s->size) s->out[s->used] = c;
  s->used++;
}

struct conversion {
  bool left, zero, is_long;
  int width;
  int precision;  // -1: none
  char kind;
};

static int number(const char **f, va_list *args) {
  if (**f == '*') {
    (*f)++;
    return va_arg(*args, int);
  }
  int n = 0;
  for (; **f >= '0' && **f <= '9'; (*f)++) n = n * 10 + (**f - '0');
  return n;
}

static struct conversion parse(const char **f, va_list *args) {
  struct conversion c = {.precision = -1};
  for (;; (*f)++) {
    if (**f == '-') c.left = true;
    else if (**f == '0') c.zero = true;
    else break;
  }
  c.width = number(f, args);
  if (**f == '.') {
    (*f)++;
    c.precision = number(f, args);
  }
  for (; **f == 'l'; (*f)++) c.is_long = true;
  c.kind = **f;
  if (**f) (*f)++;
  return c;
}

static void pad(struct sink *s, char with, int n) {
  while (n-- > 0) put(s, with);
}

// Text with an optional sign or prefix, which zero padding goes behind.
static void put_padded(struct sink *s, const struct conversion *c, const char *prefix,
                       const char *text, int length) {
  int fill = c->width - (int)strlen(prefix) - length;
  if (!c->left && !c->zero) pad(s, ' ', fill);
  while (*prefix) put(s, *prefix++);
  if (!c->left && c->zero) pad(s, '0', fill);
  for (int i = 0; i < length; i++) put(s, text[i]);
  if (c->left) pad(s, ' ', fill);
}

static void put_number(struct sink *s, const struct conversion *c, const char *prefix,
                       uint64 value, uint32 base) {
  char digits[24];
  int at = sizeof(digits);
  do digits[--at] = "0123456789abcdef"[value % base];
  while ((value /= base) != 0);
  put_padded(s, c, prefix, &digits[at], sizeof(digits) - at);
}

static void put_string(struct sink *s, const struct conversion *c, const char *text) {
  if (text == NULL) text = "(null)";
  int length = 0;
  while (length != c->precision && text[length]) length++;
  put_padded(s, c, "", text, length);
}

static void convert(struct sink *s, const struct conversion *c, va_list *args) {
  char one;
  switch (c->kind) {
    case 'd': {
      int64 v = c->is_long ? va_arg(*args, int64) : va_arg(*args, int);
      put_number(s, c, v < 0 ? "-" : "", v < 0 ? -(uint64)v : (uint64)v, 10);
      return;
    }
    case 'u':
    case 'x': {
      uint64 v = c->is_long ? va_arg(*args, uint64) : va_arg(*args, uint32);
      put_number(s, c, "", v, c->kind == 'u' ? 10 : 16);
      return;
    }
    case 'p':
      put_number(s, c, "0x", va_arg(*args, uint64), 16);
      return;
    case 's':
      put_string(s, c, va_arg(*args, const char *));
      return;
    case 'c':
      one = va_arg(*args, int);
      put_padded(s, c, "", &one, 1);
      return;
    default:
      put(s, c->kind);
  }
}

int vsnprintf(char *out, size_t size, const char *format, va_list args) {
  struct sink s = {out, size, 0};
  va_list copy;
  va_copy(copy, args);
  while (*format) {
    if (*format != '%') {
      put(&s, *format++);
      continue;
    }
    format++;
    struct conversion c = parse(&format, &copy);
    if (c.kind) convert(&s, &c, &copy);
  }
  va_end(copy);
  if (s.used >= size) s.used = size > 0 ? size - 1 : 0;
  if (size > 0) out[s.used] = 0;
  return s.used;
}

int snprintf(char *out, size_t size, const char *format, ...) {
  va_list args;
  va_start(args, format);
  int n = vsnprintf(out, size, format, args);
  va_end(args);
  return n;
}

// A message that is too long is cut, and ends with its newline all the same.
static int format_message(char *message, const char *format, va_list args) {
  int n = vsnprintf(message, MESSAGE_MAX, format, args);
  if (n == MESSAGE_MAX - 1) message[n - 1] = '\n';
  return n;
}

void printf(const char *format, ...) {
  char message[MESSAGE_MAX];
  va_list args;
  va_start(args, format);
  int n = format_message(message, format, args);
  va_end(args);
  message_write(message, n);
}

int printf_blocking(const char *format, ...) {
  char message[MESSAGE_MAX];
  va_list args;
  va_start(args, format);
  int n = format_message(message, format, args);
  va_end(args);
  return message_wait(message, n);
}
