// How a call gets at its arguments.  `a` is the caller's a0 to a5; addresses in
// it are untrusted and reach memory through mm/usercopy.h alone.
#pragma once

#include "lib/types.h"

static inline int arg_int(const uint64 *a, int n) { return (int)a[n]; }

// Copies the path at address a[n] into path[MAXPATH].  Returns 0 or a negative
// errno.  May sleep.
int arg_path(const uint64 *a, int n, char *path);
