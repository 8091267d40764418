// Memory and strings, eight bytes at a time where it matters.
//
// Words are read and written through a type that may alias anything.  A copy
// whose ends are aligned differently reads whole aligned words and joins halves of
// two; it never makes a misaligned access, which some harts trap on.
#include "lib/string.h"

typedef uint64 __attribute__((may_alias)) word;

#define WORD        sizeof(word)
#define BLOCK       (8 * WORD)  // unrolled
#define is_aligned(p)  ((uint64)(p) % WORD == 0)

void *memset(void *dst, int c, size_t n) {
  unsigned char *d = dst;
  for (; n > 0 && !is_aligned(d); n--) *d++ = c;
  word fill = (unsigned char)c * 0x0101010101010101UL;
  for (; n >= BLOCK; n -= BLOCK, d += BLOCK) {
    word *w = (word *)d;
    w[0] = fill, w[1] = fill, w[2] = fill, w[3] = fill;
    w[4] = fill, w[5] = fill, w[6] = fill, w[7] = fill;
  }
  for (; n >= WORD; n -= WORD, d += WORD) *(word *)d = fill;
  while (n-- > 0) *d++ = c;
  return dst;
}

// d aligned, s not, n a multiple of WORD.  Reads only words that hold wanted bytes.
static void copy_shifted(char *d, const char *s, size_t n) {
  uint32 right = (uint64)s % WORD * 8, left = 64 - right;
  const word *from = (const word *)(s - (uint64)s % WORD);
  word low = *from++;
  for (word *to = (word *)d, *end = (word *)(d + n); to != end; to++) {
    word high = *from++;
    *to = low >> right | high << left;
    low = high;
  }
}

// At least a word, from the first byte up.
static NOINLINE void *copy_up(void *dst, const char *s, size_t n) {
  char *d = dst;
  for (; !is_aligned(d); n--) *d++ = *s++;
  size_t words = n - n % WORD;
  if (is_aligned(s))
    copy_words(d, s, words);
  else
    copy_shifted(d, s, words);
  for (size_t i = words; i < n; i++) d[i] = s[i];
  return dst;
}

void *memcpy(void *restrict dst, const void *restrict src, size_t n) {
  if (is_aligned((uint64)dst | (uint64)src | n)) return copy_words(dst, src, n);
  if (n >= WORD) return copy_up(dst, src, n);
  for (size_t i = 0; i < n; i++) ((char *)dst)[i] = ((const char *)src)[i];
  return dst;
}

static void *copy_down(char *d, const char *s, size_t n) {
  if (((uint64)d - (uint64)s) % WORD == 0) {
    for (; n > 0 && !is_aligned(d + n); n--) d[n - 1] = s[n - 1];
    for (; n >= WORD; n -= WORD) *(word *)(d + n - WORD) = *(const word *)(s + n - WORD);
  }
  for (; n > 0; n--) d[n - 1] = s[n - 1];
  return d;
}

void *memmove(void *dst, const void *src, size_t n) {
  bool overlaps = (uint64)dst - (uint64)src < n;
  return unlikely(overlaps) ? copy_down(dst, src, n) : memcpy(dst, src, n);
}

int memcmp(const void *a, const void *b, size_t n) {
  const unsigned char *x = a, *y = b;
  for (size_t i = 0; i < n; i++)
    if (x[i] != y[i]) return x[i] - y[i];
  return 0;
}

void *memchr(const void *s, int c, size_t n) {
  const unsigned char *p = s;
  for (size_t i = 0; i < n; i++)
    if (p[i] == (unsigned char)c) return (void *)&p[i];
  return NULL;
}

size_t strlen(const char *s) {
  const char *end = s;
  while (*end) end++;
  return end - s;
}

int strcmp(const char *a, const char *b) {
  while (*a && *a == *b) a++, b++;
  return (unsigned char)*a - (unsigned char)*b;
}

int strncmp(const char *a, const char *b, size_t n) {
  for (size_t i = 0; i < n; i++) {
    int difference = (unsigned char)a[i] - (unsigned char)b[i];
    if (difference != 0 || a[i] == 0) return difference;
  }
  return 0;
}

char *strchr(const char *s, int c) {
  for (;; s++) {
    if (*s == (char)c) return (char *)s;
    if (*s == 0) return NULL;
  }
}

void strcpy_padded(char *dst, const char *src, size_t size) {
  size_t length = MIN(strlen(src), size - 1);
  memmove(dst, src, length);
  memset(dst + length, 0, size - length);
}
