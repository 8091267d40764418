// Bringing the file system to life.
#pragma once

// Mounts the root disk: checks the superblock, finishes what the log holds,
// frees inodes that a crash left without links.  Needs the disk.  Returns 0 or,
// after a message, a negative errno.  Once, by the first process; may sleep.
int fs_init(void);
