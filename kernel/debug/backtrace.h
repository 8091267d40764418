// Names for addresses, and who called whom.
#pragma once

#include "lib/types.h"

// Writes "name+0xoffset" for an address in kernel text, or the bare address.
void symbol_name(uint64 pc, char *out, size_t size);

// Prints one line for pc, and one for each caller found through frame pointer fp.
// Stops at whatever is not a frame on a kernel stack.
void backtrace(uint64 pc, uint64 fp);
