// Boot options: words key=value that QEMU's -append gives.
#pragma once

#include "lib/types.h"

// Takes the options from the device tree's text, which need not end with a NUL.
void options_set(const char *text, uint32 length);

// Prints a line for each word that is no option, or has a value that its option cannot
// have.  Such a word counts as not given.
void options_check(void);

// The value of boot option `key` in out, cut to fit; false when it is not given.
bool boot_option(const char *key, char *out, size_t size);

// The decimal number that boot option `key` has; 0 when it is not given.
uint64 boot_number(const char *key);
