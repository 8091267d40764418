// Walking paths.  One directory is locked at a time: the next inode is looked up
// under its parent's lock and locked only after that is given back, so that ".."
// needs no order.  No locks of its own.
#include "fs/path.h"

#include "fs/fdtable.h"
#include "lib/errno.h"
#include "lib/string.h"

static const char *skip_slashes(const char *path) {
  while (*path == '/') path++;
  return path;
}

// Takes the first name off a path that begins with one; returns what follows,
// without slashes.
static const char *take_name(const char *path, struct name *name) {
  memset(name, 0, sizeof *name);
  for (uint32 n = 0; *path != '/' && *path != '\0'; path++, n++)
    if (n < DIRSIZ) name->text[n] = *path;
  return skip_slashes(path);
}

// Where a path begins, with a reference.
static int start(const char *path, struct inode **out) {
  if (*path == '/') return iget(ROOTINO, out);
  *out = files_directory();
  return 0;
}

// Replaces the directory *at by what `name` means in it.  On an error the
// reference to it is gone.
static int step(struct inode **at, const struct name *name) {
  struct inode *dp = *at;
  int err = ilock(dp);
  if (err == 0) {
    struct place place;
    err = dir_search(dp, name, &place);
    if (err == 0) err = place.inum == 0 ? -ENOENT : iget(place.inum, at);
    iunlock(dp);
  }
  iput(dp);
  return err;
}

int namei(const char *path, struct inode **out) {
  if (*path == '\0') return -ENOENT;
  int err = start(path, out);
  for (path = skip_slashes(path); err == 0 && *path != '\0';) {
    struct name name;
    path = take_name(path, &name);
    err = step(out, &name);
  }
  return err;
}

int nameiparent(const char *path, struct inode **out, struct name *name) {
  const char *rest = skip_slashes(path);
  if (*rest == '\0') return -ENOENT;
  int err = start(path, out);
  while (err == 0) {
    rest = take_name(rest, name);
    if (*rest == '\0') break;
    err = step(out, name);
  }
  return err;
}
