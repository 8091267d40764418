// The console of process 1.  See sys/first.h.  No locks of its own.
#include "dev/device.h"
#include "fs/fdtable.h"
#include "fs/inode.h"
#include "fs/path.h"
#include "lib/errno.h"
#include "lib/printf.h"
#include "sys/first.h"

#define NODE  "/console"

// Whether the node is there and leads to the console: 0, -ENOENT, or what is wrong.
static int check_node(void) {
  struct inode *ip;
  int err = namei(NODE, &ip);
  if (err != 0) return err;
  err = ilock(ip);
  if (err == 0) {
    if (ip->d->type != T_DEVICE || ip->d->major != DEV_CONSOLE) err = -EEXIST;
    iunlock(ip);
  }
  iput(ip);
  return err;
}

// Opens the console without a node, as standard input, output and error output.
static int lend(void) {
  struct file *f;
  int err = file_create(&f);
  if (err != 0) return err;
  f->readable = f->writable = true;
  f->major = DEV_CONSOLE;
  f->kind = FILE_DEVICE;
  fd_install(fd_reserve(), f);
  fd_install(fd_reserve(), file_dup(f));
  fd_install(fd_reserve(), file_dup(f));
  return 0;
}

int first_console(void) {
  int err = check_node();
  if (err == -ENOENT) err = make_device(NODE, DEV_CONSOLE, 0);
  if (err == 0) return 0;
  printf("init: %s cannot be used (error %d): the console is open without it\n", NODE, -err);
  return lend();
}
