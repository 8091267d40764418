// System calls that take a path: open, mkdir, mknod, chdir, link, unlink.  And sync.
//
// Each changes the disk in one log operation, in which everything that can fail
// comes before the first change that would have to be taken back.  Paths are
// walked before the operation, and references dropped after it (fs/inode.h).
// Locks: a directory, then what it lists (N1).
#include "arch/current.h"
#include "fs/fdtable.h"
#include "fs/inode.h"
#include "fs/log.h"
#include "fs/path.h"
#include "kernel/fcntl.h"
#include "kernel/param.h"
#include "lib/errno.h"
#include "sys/args.h"
#include "sys/calls.h"
#include "sys/first.h"

// Blocks that each change adds to a group at most.
static uint32 create_cost(void) { return dir_enter_cost() * 2; }  // new inode and directory
static uint32 link_cost(void) { return dir_enter_cost() + 1; }    // entry; the file's inode
#define UNLINK_COST  3  // entry; both inodes

// --- creating ---------------------------------------------------------------

// What a new inode shall be.
struct birth {
  short type, major, minor;
};

// Enters the new, locked inode ip in the locked directory dp under `name`.
static int enter_new(struct op *op, struct inode *dp, const struct name *name, uint32 off,
                     struct inode *ip) {
  bool is_dir = ip->d->type == T_DIR;
  int err = is_dir ? dir_init(op, ip, dp->inum) : 0;
  if (err == 0) err = dir_enter(op, dp, off, name, ip->inum);
  if (err != 0) return err;
  ip->d->nlink = 1;
  inode_changed(op, ip);
  if (is_dir) {
    dp->d->nlink++;  // the child's ".."
    inode_changed(op, dp);
  }
  return 0;
}

// In the locked directory dp: finds `name`, or makes it.  Returns 0 and *out with
// a reference, not locked; *made says which of the two.  After an error *out is
// NULL or an inode without links, whose reference the caller drops.
static int find_or_make(struct op *op, struct inode *dp, const struct name *name,
                        const struct birth *birth, struct inode **out, bool *made) {
  struct place place;
  int err = dir_search(dp, name, &place);
  if (err != 0) return err;
  *made = place.inum == 0;
  if (!*made) return iget(place.inum, out);
  if (birth->type == T_DIR && dp->d->nlink == LINK_MAX) return -EMLINK;
  err = ialloc(op, birth->type, out);
  if (err != 0) {
    *out = NULL;
    return err;
  }
  (*out)->d->major = birth->major;
  (*out)->d->minor = birth->minor;
  err = enter_new(op, dp, name, place.off, *out);
  iunlock(*out);
  return err;
}

// The inode at `path`, which is made where it is missing.  Returns 0 and *out with
// a reference, not locked, or a negative errno.
static int create(const char *path, const struct birth *birth, struct inode **out, bool *made) {
  struct inode *dp;
  struct name name;
  int err = nameiparent(path, &dp, &name);
  if (err != 0) return err;
  struct inode *ip = NULL;
  struct op op;
  err = begin_op(&op, create_cost());
  if (err == 0) {
    err = ilock(dp);
    if (err == 0) {
      err = find_or_make(&op, dp, &name, birth, &ip, made);
      iunlock(dp);
    }
    int committed = end_op(&op);
    if (err == 0) err = committed;
  }
  iput(dp);
  if (err == 0)
    *out = ip;
  else if (ip != NULL)
    iput(ip);
  return err;
}

// The same where the name must be new.
static int create_new(const char *path, const struct birth *birth) {
  struct inode *ip;
  bool made;
  int err = create(path, birth, &ip, &made);
  if (err != 0) return err;
  iput(ip);
  return made ? 0 : -EEXIST;
}

int64 sys_mkdir(const uint64 *a) {
  char path[MAXPATH];
  int err = arg_path(a, 0, path);
  return err == 0 ? create_new(path, &(struct birth){.type = T_DIR}) : err;
}

int make_device(const char *path, short major, short minor) {
  return create_new(path, &(struct birth){T_DEVICE, major, minor});
}

int64 sys_mknod(const uint64 *a) {
  char path[MAXPATH];
  int err = arg_path(a, 0, path);
  if (err != 0) return err;
  int major = arg_int(a, 1);
  int minor = arg_int(a, 2);
  if (major < 0 || major >= NDEV || minor != (short)minor) return -EINVAL;
  return make_device(path, major, minor);
}

// --- opening ----------------------------------------------------------------

static int find_or_create(const char *path, int flags, struct inode **out) {
  if (!(flags & O_CREATE)) return namei(path, out);
  bool made;
  return create(path, &(struct birth){.type = T_FILE}, out, &made);
}

// Makes f an open file on ip as the flags say.  With 0, ip's reference is f's.
static int attach(struct file *f, struct inode *ip, int flags) {
  int err = ilock(ip);
  if (err != 0) return err;
  short type = ip->d->type;
  short major = ip->d->major;
  iunlock(ip);
  if (type == T_DIR && flags != O_RDONLY) return -EISDIR;
  if (type == T_DEVICE && (major < 0 || major >= NDEV)) return -ENODEV;
  if (type == T_FILE && (flags & O_TRUNC)) err = inode_truncate(ip);
  if (err != 0) return err;
  f->readable = !(flags & O_WRONLY);
  f->writable = flags & (O_WRONLY | O_RDWR);
  f->major = major;
  f->ip = ip;
  f->kind = type == T_DEVICE ? FILE_DEVICE : FILE_INODE;
  return 0;
}

// Opens `path` on the fresh file f.
static int open_path(struct file *f, const char *path, int flags) {
  struct inode *ip;
  int err = find_or_create(path, flags, &ip);
  if (err != 0) return err;
  err = attach(f, ip, flags);
  if (err != 0) iput(ip);
  return err;
}

// The descriptor and the file come first: when there is none to be had, nothing
// has been created or cut.
int64 sys_open(const uint64 *a) {
  char path[MAXPATH];
  int err = arg_path(a, 0, path);
  if (err != 0) return err;
  int fd = fd_reserve();
  if (fd < 0) return fd;
  struct file *f;
  err = file_create(&f);
  if (err != 0) goto no_file;
  err = open_path(f, path, arg_int(a, 1));
  if (err != 0) goto no_inode;
  fd_install(fd, f);
  return fd;

no_inode:
  file_put(f);
no_file:
  fd_cancel(fd);
  return err;
}

int64 sys_chdir(const uint64 *a) {
  char path[MAXPATH];
  struct inode *ip;
  int err = arg_path(a, 0, path);
  if (err == 0) err = namei(path, &ip);
  if (err != 0) return err;
  err = ilock(ip);
  if (err == 0) {
    if (ip->d->type != T_DIR) err = -ENOTDIR;
    iunlock(ip);
  }
  if (err == 0)
    files_change_directory(ip);
  else
    iput(ip);
  return err;
}

// --- linking ----------------------------------------------------------------

// Enters the locked file ip under `name` in the locked directory dp.
static int enter_link(struct op *op, struct inode *dp, const struct name *name,
                      struct inode *ip) {
  struct place place;
  int err = dir_search(dp, name, &place);
  if (err != 0) return err;
  if (place.inum != 0) return -EEXIST;
  if (ip->d->nlink < 1) return -ENOENT;  // unlinked since it was found
  if (ip->d->nlink == LINK_MAX) return -EMLINK;
  err = dir_enter(op, dp, place.off, name, ip->inum);
  if (err != 0) return err;
  ip->d->nlink++;
  inode_changed(op, ip);
  return 0;
}

// 0 if ip is anything but a directory: only those may be locked after one.
static int check_not_dir(struct inode *ip) {
  int err = ilock(ip);
  if (err != 0) return err;
  err = ip->d->type == T_DIR ? -EPERM : 0;
  iunlock(ip);
  return err;
}

static int link_into(struct inode *dp, const struct name *name, struct inode *ip) {
  struct op op;
  int err = begin_op(&op, link_cost());
  if (err != 0) return err;
  err = ilock(dp);
  if (err == 0) {
    // A corrupt disk may list one inode as both.
    err = dp == ip ? -EIO : ilock_file(ip);
    if (err == 0) {
      err = enter_link(&op, dp, name, ip);
      iunlock(ip);
    }
    iunlock(dp);
  }
  int committed = end_op(&op);
  return err == 0 ? committed : err;
}

int64 sys_link(const uint64 *a) {
  char path[MAXPATH];
  struct inode *ip, *dp;
  struct name name;
  int err = arg_path(a, 0, path);
  if (err == 0) err = namei(path, &ip);
  if (err != 0) return err;
  err = check_not_dir(ip);
  if (err == 0) err = arg_path(a, 1, path);
  if (err == 0) err = nameiparent(path, &dp, &name);
  if (err == 0) {
    err = link_into(dp, &name, ip);
    iput(dp);
  }
  iput(ip);
  return err;
}

// One link less.  On a corrupt disk the count may be too low: that of a directory which
// has just been read stays at 1, or it would be freed with its names, and no count goes
// below 0.
static void drop_link(struct op *op, struct inode *ip, short floor) {
  if (ip->d->nlink <= floor) return;
  ip->d->nlink--;
  inode_changed(op, ip);
}

// Takes the entry at `off` of the locked directory dp, which lists the locked
// inode ip, off it.
static int remove_entry(struct op *op, struct inode *dp, uint32 off, struct inode *ip) {
  bool is_dir = ip->d->type == T_DIR;
  int err = is_dir ? dir_is_empty(ip) : 0;
  if (err == 0) err = dir_remove(op, dp, off);
  if (err != 0) return err;
  if (is_dir) drop_link(op, dp, 1);  // the child's ".."
  drop_link(op, ip, 0);
  return 0;
}

// Unlinks `name` in the locked directory dp.  *out is NULL, or an inode whose
// reference the caller drops.
static int remove_name(struct op *op, struct inode *dp, const struct name *name,
                       struct inode **out, int (*lock_child)(struct inode *)) {
  struct place place;
  int err = dir_search(dp, name, &place);
  if (err != 0) return err;
  if (place.inum == 0) return -ENOENT;
  if (place.inum == dp->inum || place.inum == ROOTINO) return -EIO;
  struct inode *ip;
  err = iget(place.inum, &ip);
  if (err != 0) return err;
  *out = ip;
  err = lock_child(ip);
  // A corrupt disk: the name leads to nothing, and goes.
  if (err == -ENOENT) return dir_remove(op, dp, place.off);
  if (err != 0) return err;
  err = remove_entry(op, dp, place.off, ip);
  iunlock(ip);
  return err;
}

// Two ways to lock the directory and what it lists.  Nearly always the second is free,
// and nothing has to be waited for: -EAGAIN when it is not.
static int remove_at_once(struct op *op, struct inode *dp, const struct name *name,
                          struct inode **out) {
  int err = ilock(dp);
  if (err != 0) return err;
  err = remove_name(op, dp, name, out, ilock_try);
  iunlock(dp);
  return err;
}

static NOINLINE int remove_in_turn(struct op *op, struct inode *dp, const struct name *name,
                                   struct inode **out) {
  tree_lock();
  int err = ilock(dp);
  if (err == 0) {
    err = remove_name(op, dp, name, out, ilock_child);
    iunlock(dp);
  }
  tree_unlock();
  return err;
}

typedef int remover(struct op *op, struct inode *dp, const struct name *name, struct inode **out);

static int unlink_by(remover *remove, struct inode *dp, const struct name *name) {
  struct inode *ip = NULL;
  struct op op;
  int err = begin_op(&op, UNLINK_COST);
  if (err != 0) return err;
  err = remove(&op, dp, name, &ip);
  int committed = end_op(&op);
  if (ip != NULL) iput(ip);
  return err == 0 ? committed : err;
}

int64 sys_unlink(const uint64 *a) {
  char path[MAXPATH];
  struct inode *dp;
  struct name name;
  int err = arg_path(a, 0, path);
  if (err == 0) err = nameiparent(path, &dp, &name);
  if (err != 0) return err;
  err = name_is_dots(&name) ? -EINVAL : unlink_by(remove_at_once, dp, &name);
  if (err == -EAGAIN) err = unlink_by(remove_in_turn, dp, &name);
  iput(dp);
  return err;
}

int64 sys_sync(const uint64 *a) {
  (void)a;
  return log_sync();
}
