// fstat's answer (24 bytes, interface.md) and the types of an inode.
#pragma once

#include "kernel/types.h"

#define T_DIR     1
#define T_FILE    2
#define T_DEVICE  3

struct stat {
  int dev;
  uint ino;
  short type;
  short nlink;
  uint64 size;  // bytes
};
