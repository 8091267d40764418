// Types and small macros for the whole kernel.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "kernel/riscv.h"
#include "kernel/types.h"

typedef signed char int8;
typedef short int16;
typedef int int32;
typedef long int64;

#define ARRAY_LEN(a)  (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b)     ({ __typeof__(a) a_ = (a); __typeof__(b) b_ = (b); a_ < b_ ? a_ : b_; })
#define MAX(a, b)     ({ __typeof__(a) a_ = (a); __typeof__(b) b_ = (b); a_ > b_ ? a_ : b_; })

#define likely(x)    __builtin_expect(!!(x), 1)
#define unlikely(x)  __builtin_expect(!!(x), 0)

#define CACHE_LINE      64
#define ALIGNED(n)      __attribute__((aligned(n)))

// For a variable that harts fight for: a cache line of its own, so that what lies
// beside it is not fought for as well.
#define OWN_LINE        ALIGNED(CACHE_LINE)
#define NOINLINE        __attribute__((noinline))
#define ALWAYS_INLINE   inline __attribute__((always_inline))
#define PRINTF_LIKE(f)  __attribute__((format(printf, f, (f) + 1)))

// The object of type `type` whose member `member` is at `ptr`.
#define container_of(ptr, type, member) \
  ((type *)((char *)(ptr) - offsetof(type, member)))
