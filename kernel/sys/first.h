// The kernel half of process 1.
#pragma once

// Mounts the root file system and loads the first program (boot option init=,
// otherwise /init); returns to enter it.  Powers off with a message where that
// cannot be.
void first_program(void);

// Sees to it that process 1, the caller, can speak: /console is the console device after
// this, and is made where it is missing.  Where that cannot be (the disk is full or
// read-only, the name is taken) a line says so, and descriptors 0 to 2 are the console.
// Returns 0 or, with neither, a negative errno.  May sleep.
int first_console(void);

// Makes a device node (syspath.c).  Returns 0, -EEXIST when the name is taken, or another
// negative errno.  May sleep.
int make_device(const char *path, short major, short minor);
