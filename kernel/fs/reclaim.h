// What a crash leaves: inodes that were open and had no name any more.
#pragma once

// Frees every inode without links that no directory names, with a line for each.  Where a
// directory cannot be read none is freed, and a message says so.  Returns 0, -ENOMEM or
// -EIO.  Once, at mount, with nothing in use; may sleep.
int reclaim_orphans(void);
