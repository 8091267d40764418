// Bits of a word.
#pragma once

#include "lib/types.h"

// The number of the lowest bit set in x, which is not 0.  By halving: rv64gc has
// no instruction for it.
static inline uint32 lowest_bit(uint64 x) {
  uint32 n = 0;
  for (uint32 half = 32; half > 0; half /= 2)
    if ((x & ((1UL << half) - 1)) == 0) {
      x >>= half;
      n += half;
    }
  return n;
}
