// What workers and their helpers tell the supervisor, through one pipe.  A
// record is written whole or not at all: its size divides a pipe's.
#pragma once

#include "kernel/types.h"

enum record_type {
  TICK = 0x51,  // a tick has passed
  STARTED,      // slot: a new worker, value: its process
  PROGRESS,     // slot: value operations more
  ENDED,        // slot: the worker ended, value: its status
  GONE,         // no keeper, worker or descendant of one is left
};

struct record {
  ushort type;
  ushort slot;
  int value;
};

// Sends a record.  A sender whose pipe is gone has no reason to live, and exits.
void record_send(int fd, enum record_type type, int slot, int value);
