// ASSERT for our own bugs, in every build; errno (lib/errno.h) for the world.
#pragma once

#include "lib/types.h"

// Stops the machine: prints the message, where, hart, process and a backtrace,
// the other harts' state, and leaves QEMU with a failure status.
void panic_at(const char *file, int line, const char *format, ...)
    __attribute__((noreturn, cold, format(printf, 3, 4)));

#define panic(...)  panic_at(__FILE__, __LINE__, __VA_ARGS__)

#define ASSERT(x)  \
  do {             \
    if (unlikely(!(x))) panic("assertion failed: %s", #x); \
  } while (0)

// Checks that are too dear for the default build.
#ifdef DEBUG
#define DEBUG_ASSERT(x)  ASSERT(x)
#else
#define DEBUG_ASSERT(x)  ((void)sizeof(x))
#endif
