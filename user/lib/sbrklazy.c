// The heap's end for programs that call sbrklazy: those of 2025, in which plain
// sbrk is the eager one.  The linker takes this file for them alone.
#include "user/user.h"

char *sbrklazy(int n) { return sys_sbrk(n, SBRK_LAZY); }
char *sbrk(int n) { return sys_sbrk(n, SBRK_EAGER); }
