// The kernel half of process 1.
#pragma once

// Mounts the root file system and loads the first program (boot option init=,
// otherwise /init); returns to enter it.  Powers off with a message where that
// cannot be.
void first_program(void);
