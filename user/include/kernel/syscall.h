// SYS_name for every call of THE list.
#pragma once

enum {
#define SYSCALL(number, name, ret, params) SYS_##name = number,
#include "kernel/syscalls.h"
#undef SYSCALL
  SYS_pause = SYS_sleep,
};
