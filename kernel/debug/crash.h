// Panics on purpose (kernel/inject.h), in DEBUG builds: what a panic reports, and whether
// the machine ends well, is tested with them.
#pragma once

#include "lib/types.h"

#ifdef DEBUG
// Panics in the way that `kind` names (CRASH_ASSERT ..).  Returns -EINVAL if there is no
// such kind, or boot option crash=1 was not given.  Interrupts on, no lock held.
int crash(uint32 kind);
#endif
