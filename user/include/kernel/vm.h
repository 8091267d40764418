// The second argument of the sbrk system call.
#pragma once

#define SBRK_EAGER  1
#define SBRK_LAZY   2
#define SBRK_ERROR  ((char *)-1)
