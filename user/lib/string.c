// Memory and strings.
//
// The mem functions work a word at a time where both ends are aligned alike; the
// compiler must not turn their loops back into calls of themselves.
#include "user/user.h"

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("no-tree-loop-distribute-patterns")
#endif

enum { WORD = sizeof(uint64) };

static int aligned(const void *p) { return (uint64)p % WORD == 0; }

void *memset(void *dst, int byte, uint64 n) {
  char *at = dst, *stop = at + n;
  uint64 word = (uchar)byte * 0x0101010101010101ul;
  while (at < stop && !aligned(at)) *at++ = byte;
  for (; at + WORD <= stop; at += WORD) *(uint64 *)at = word;
  while (at < stop) *at++ = byte;
  return dst;
}

static void copy_up(char *to, const char *from, uint64 n) {
  char *stop = to + n;
  if ((uint64)to % WORD == (uint64)from % WORD) {
    while (to < stop && !aligned(to)) *to++ = *from++;
    for (; to + WORD <= stop; to += WORD, from += WORD) *(uint64 *)to = *(const uint64 *)from;
  }
  while (to < stop) *to++ = *from++;
}

static void copy_down(char *to, const char *from, uint64 n) {
  if ((uint64)to % WORD == (uint64)from % WORD) {
    while (n > 0 && !aligned(to + n)) n--, to[n] = from[n];
    for (; n >= WORD; n -= WORD) *(uint64 *)(to + n - WORD) = *(const uint64 *)(from + n - WORD);
  }
  while (n > 0) n--, to[n] = from[n];
}

void *memmove(void *dst, const void *src, uint64 n) {
  if ((uint64)dst - (uint64)src < n)
    copy_down(dst, src, n);
  else
    copy_up(dst, src, n);
  return dst;
}

void *memcpy(void *dst, const void *src, uint64 n) { return memmove(dst, src, n); }

int memcmp(const void *a, const void *b, uint64 n) {
  const uchar *x = a, *y = b;
  for (uint64 i = 0; i < n; i++)
    if (x[i] != y[i]) return x[i] - y[i];
  return 0;
}

uint strlen(const char *s) {
  const char *end = s;
  while (*end) end++;
  return end - s;
}

char *strcpy(char *dst, const char *src) {
  memmove(dst, src, (uint64)strlen(src) + 1);
  return dst;
}

char *strchr(const char *s, char c) {
  while (*s && *s != c) s++;
  return *s == c ? (char *)s : 0;
}

int strcmp(const char *a, const char *b) {
  while (*a && *a == *b) a++, b++;
  return (uchar)*a - (uchar)*b;
}

int atoi(const char *s) {
  while (*s == ' ' || (*s >= '\t' && *s <= '\r')) s++;
  int negative = *s == '-';
  if (*s == '-' || *s == '+') s++;
  uint value = 0;  // wraps where an int would overflow
  for (; *s >= '0' && *s <= '9'; s++) value = value * 10 + (*s - '0');
  return negative ? -value : value;
}
