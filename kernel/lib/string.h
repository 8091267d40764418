// Memory and strings.  Nothing here allocates, sleeps or looks at user memory.
#pragma once

#include "lib/types.h"

// The C library's functions, by its contracts.
void *memset(void *dst, int c, size_t n);
void *memcpy(void *restrict dst, const void *restrict src, size_t n);
void *memmove(void *dst, const void *src, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
void *memchr(const void *s, int c, size_t n);
char *strchr(const char *s, int c);

// Copies a string into dst of `size` bytes, at least 1: cut to fit, always terminated, and
// with NULs to the end, so that dst can be shown to programs whole.
void strcpy_padded(char *dst, const char *src, size_t size);

// Clear and copy one page; both arguments page-aligned.
void page_clear(void *page);
void page_copy(void *restrict dst, const void *restrict src);

// Copies n bytes between places that do not overlap; all three are multiples of 8.
// Returns dst.
void *copy_words(void *restrict dst, const void *restrict src, size_t n);
