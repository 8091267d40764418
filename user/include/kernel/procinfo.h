// One row of proclist's answer.
#pragma once

#include "kernel/types.h"

struct procinfo {
  int pid;
  int ppid;       // 0: none
  int hart;       // where it runs or ran last
  char state;     // R running, r ready, S sleeping, Z zombie
  char name[16];  // NUL-terminated
  uint64 size;    // bytes of address space, touched or not
};
