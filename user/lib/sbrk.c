// The heap's end, in the meaning that programs have mostly given to sbrk: lazy.
//
// Programs of 2025 mean it otherwise; see user/lib/sbrklazy.c, whose definition
// overrides this one in them.  The archive holds this file first, so that everyone
// else gets it.
#include "user/user.h"

__attribute__((weak)) char *sbrk(int n) { return sys_sbrk(n, SBRK_LAZY); }
char *sbrkeager(int n) { return sys_sbrk(n, SBRK_EAGER); }
