// Names for addresses, and who called whom.
#pragma once

#include "lib/types.h"

// Writes "name+0xoffset" for an address in kernel text, or the bare address.
void symbol_name(uint64 pc, char *out, size_t size);

// Prints one line for pc, the address of a call, and one for each caller found through
// frame pointer fp.  Follows only what lies on a mapped stack of the kernel, whatever fp is.
void backtrace(uint64 pc, uint64 fp);

// The same for code that was interrupted anywhere, with these registers.
void backtrace_interrupted(uint64 pc, uint64 ra, uint64 fp);
