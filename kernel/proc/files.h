// What a process knows of its open files and its directory: a handle, and what
// becomes of it when processes begin and end.  The file system implements this
// (fs/fdtable.c); proc/ looks no deeper.
#pragma once

struct files;

// A new table that holds what `from` holds, every file with one more reference,
// and the same current directory.  Returns 0 and *out, or -ENOMEM.
// May sleep.
int files_fork(struct files *from, struct files **out);

// One more reference to the table, for a thread; returns it.
struct files *files_share(struct files *files);

// Drops a reference to the table; the last one closes its files and leaves its
// directory.  May sleep.
void files_put(struct files *files);
