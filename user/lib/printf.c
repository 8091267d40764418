// printf: formats into a buffer on the stack (of one page in all, so it is a small
// one) and writes it when it is full and at the end.
#include "user/lib/format.h"

// One conversion, taken apart: %[flags][width][.precision][length]letter.  An `l`
// without a letter is an unsigned long, as in older libraries.
struct spec {
  int left, zero;
  char sign;        // what stands before a number that is not negative, or 0
  int width;
  int precision;    // -1: none given
  int longs;        // 0 int, 1 or more: 64 bits, -1 short, -2 char
};

static void put(struct output *out, char c) {
  if (out->used == FORMAT_BUFFER) format_end(out);
  out->bytes[out->used++] = c;
}

static void fill(struct output *out, char c, int n) {
  while (n-- > 0) put(out, c);
}

static void put_text(struct output *out, const struct spec *spec, const char *s) {
  if (s == 0) s = "(null)";
  int length = 0;
  while (s[length] && length != spec->precision) length++;
  if (!spec->left) fill(out, ' ', spec->width - length);
  for (int i = 0; i < length; i++) put(out, s[i]);
  if (spec->left) fill(out, ' ', spec->width - length);
}

// A precision means nothing here, and a NUL is a character.
static void put_char(struct output *out, const struct spec *spec, char c) {
  if (!spec->left) fill(out, ' ', spec->width - 1);
  put(out, c);
  if (spec->left) fill(out, ' ', spec->width - 1);
}

// `lead` is what stands before the digits: a sign or 0x.
static void put_digits(struct output *out, const struct spec *spec, uint64 value, uint base,
                       const char *letters, const char *lead) {
  char digits[24];  // 2^64 in octal has 22
  int n = 0;
  for (; value; value /= base) digits[n++] = letters[value % base];
  int least = spec->precision < 0 ? 1 : spec->precision;
  int zeros = least > n ? least - n : 0;
  int room = spec->width - (int)strlen(lead) - zeros - n;
  if (spec->zero && !spec->left && spec->precision < 0 && room > 0) zeros += room, room = 0;
  if (!spec->left) fill(out, ' ', room);
  while (*lead) put(out, *lead++);
  fill(out, '0', zeros);
  while (n > 0) put(out, digits[--n]);
  if (spec->left) fill(out, ' ', room);
}

static void put_signed(struct output *out, const struct spec *spec, long value) {
  char lead[2] = {value < 0 ? '-' : spec->sign, 0};
  put_digits(out, spec, value < 0 ? -(uint64)value : (uint64)value, 10, "0123456789", lead);
}

static uint64 take_unsigned(const struct spec *spec, va_list *args) {
  if (spec->longs > 0) return va_arg(*args, uint64);
  uint value = va_arg(*args, uint);
  return spec->longs == -2 ? (uchar)value : spec->longs == -1 ? (ushort)value : value;
}

static long take_signed(const struct spec *spec, va_list *args) {
  if (spec->longs > 0) return va_arg(*args, long);
  int value = va_arg(*args, int);
  return spec->longs == -2 ? (signed char)value : spec->longs == -1 ? (short)value : value;
}

static int take_number(const char **format, va_list *args) {
  const char *at = *format;
  int n = 0;
  if (*at == '*')
    n = va_arg(*args, int), at++;
  else
    while (*at >= '0' && *at <= '9') n = n * 10 + (*at++ - '0');
  *format = at;
  return n;
}

// Reads a conversion from behind its % up to its letter, which it returns; *format
// is then what follows.  0: the format ends here.
static char parse(const char **format, struct spec *spec, va_list *args) {
  const char *at = *format;
  *spec = (struct spec){.precision = -1};
  for (;; at++) {
    if (*at == '-') spec->left = 1;
    else if (*at == '0') spec->zero = 1;
    else if (*at == '+') spec->sign = '+';
    else if (*at == ' ') spec->sign = spec->sign ? spec->sign : ' ';
    else break;
  }
  spec->width = take_number(&at, args);
  if (spec->width < 0) spec->left = 1, spec->width = -spec->width;
  if (*at == '.') at++, spec->precision = take_number(&at, args);
  for (; *at == 'l' || *at == 'z' || *at == 'h'; at++) spec->longs += *at == 'h' ? -1 : 1;
  char letter = *at;
  if (spec->longs > 0 && (letter == 0 || !strchr("diuxXopsc%", letter)))
    letter = 'u';
  else if (letter)
    at++;
  *format = at;
  return letter;
}

static void convert(struct output *out, const struct spec *spec, char letter, va_list *args) {
  static const char lower[] = "0123456789abcdef", upper[] = "0123456789ABCDEF";
  switch (letter) {
    case 'd':
    case 'i': put_signed(out, spec, take_signed(spec, args)); break;
    case 'u': put_digits(out, spec, take_unsigned(spec, args), 10, lower, ""); break;
    case 'x': put_digits(out, spec, take_unsigned(spec, args), 16, lower, ""); break;
    case 'X': put_digits(out, spec, take_unsigned(spec, args), 16, upper, ""); break;
    case 'o': put_digits(out, spec, take_unsigned(spec, args), 8, lower, ""); break;
    case 'p': {
      struct spec full = *spec;
      if (full.precision < 0) full.precision = 2 * sizeof(uint64);
      put_digits(out, &full, va_arg(*args, uint64), 16, lower, "0x");
      break;
    }
    case 's': put_text(out, spec, va_arg(*args, const char *)); break;
    case 'c': put_char(out, spec, va_arg(*args, int)); break;
    case '%': put(out, '%'); break;
    default:  // shown as written, so that the mistake is seen
      put(out, '%');
      put(out, letter);
  }
}

void format_begin(struct output *out, int fd) {
  out->fd = fd;
  out->used = 0;
}

void format_addv(struct output *out, const char *format, va_list list) {
  va_list args;  // a parameter of this type cannot be passed on by address
  va_copy(args, list);
  while (*format) {
    if (*format != '%') {
      put(out, *format++);
      continue;
    }
    format++;
    struct spec spec;
    char letter = parse(&format, &spec, &args);
    if (letter) convert(out, &spec, letter, &args);
  }
  va_end(args);
}

void format_add(struct output *out, const char *format, ...) {
  va_list args;
  va_start(args, format);
  format_addv(out, format, args);
  va_end(args);
}

void format_end(struct output *out) {
  if (out->used > 0) write(out->fd, out->bytes, out->used);
  out->used = 0;
}

static void print(int fd, const char *format, va_list args) {
  struct output out;
  format_begin(&out, fd);
  format_addv(&out, format, args);
  format_end(&out);
}

void printf(const char *format, ...) {
  va_list args;
  va_start(args, format);
  print(1, format, args);
  va_end(args);
}

void fprintf(int fd, const char *format, ...) {
  va_list args;
  va_start(args, format);
  print(fd, format, args);
  va_end(args);
}
