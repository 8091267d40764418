// What a program may call: the system calls, and a small library under xv6's
// names.  Errors are -1 or a null pointer unless said otherwise.
#pragma once

#include "kernel/types.h"
#include "kernel/vm.h"

struct stat;
struct memstat;
struct procinfo;

// Formats are not checked by default: programs written for older libraries print
// pointers with %x.  This project's own pass with CHECK_FORMATS defined.
#ifdef CHECK_FORMATS
#define PRINTF_LIKE(at)  __attribute__((format(printf, at, (at) + 1)))
#else
#define PRINTF_LIKE(at)
#endif

// System calls, straight from THE list; interface.md says what each does.
int exit(int status) __attribute__((noreturn));
#define SYSCALL(number, name, result, params) result name params;
#define SYSCALL_RAW(number, name, result, params) result sys_##name params;
#include "kernel/syscalls.h"
#undef SYSCALL
int pause(int ticks);  // sleep, under its later name

// Move the end of the heap by n bytes and return where it was, or SBRK_ERROR.
// sbrk and sbrklazy hand out pages at the first touch, sbrkeager at once.  In a
// program that calls sbrklazy, sbrk is eager: such programs are written so.
char *sbrk(int n);
char *sbrklazy(int n);
char *sbrkeager(int n);

// Fills *st for the file at `path`; 0 or -1.
int stat(const char *path, struct stat *st);

// Memory and strings, by the C library's contracts.
void *memset(void *dst, int byte, uint64 n);
void *memcpy(void *dst, const void *src, uint64 n);
void *memmove(void *dst, const void *src, uint64 n);
int memcmp(const void *a, const void *b, uint64 n);
char *strcpy(char *dst, const char *src);
char *strchr(const char *s, char c);
int strcmp(const char *a, const char *b);
uint strlen(const char *s);
int atoi(const char *s);  // leading digits, after blanks and an optional sign

// Reads a line of at most max - 1 bytes from fd 0, its newline included, and
// terminates it.  Returns buf; an empty string at the end of input.
char *gets(char *buf, int max);

// Heap blocks, aligned to 16 bytes; malloc returns 0 when there is no room.  free() of what
// is no block in use ends the program, all its threads, after a message.
void *malloc(uint64 size);
void free(void *block);

// Formatted output to fd 1, or to any.  One call is one write() up to 512 bytes.
// Knows %d %i %u %x %X %o %p %s %c %%, with l, ll, z, h and hh, the flags - 0 + and
// space, width and precision, either of them as *.
void printf(const char *format, ...) PRINTF_LIKE(1);
void fprintf(int fd, const char *format, ...) PRINTF_LIKE(2);
