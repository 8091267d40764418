// The second argument of the futex system call.
#pragma once

#define FUTEX_WAIT  0  // sleep, if *addr still is val, until woken: 0; else -1
#define FUTEX_WAKE  1  // wake up to val of those who sleep at addr: how many
