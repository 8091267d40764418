// Paths: names between slashes, from the root or the current directory.  A name
// longer than DIRSIZ is cut to it.
#pragma once

#include "fs/dir.h"

// The inode that a path leads to, with a reference, not locked.  Returns 0,
// -ENOENT, -ENOTDIR, -ENFILE, -ENOMEM or -EIO.  No inode locked, no operation
// under way; may sleep.
int namei(const char *path, struct inode **out);

// The directory that holds the last name of a path, and that name, whether or
// not there is such an entry.  The same results; also -ENOENT for a path without
// a name.
int nameiparent(const char *path, struct inode **out, struct name *name);
