// exec, and the first program.
#include "arch/csr.h"
#include "arch/devtree.h"
#include "arch/power.h"
#include "arch/trapframe.h"
#include "fs/fdtable.h"
#include "fs/inode.h"
#include "fs/mount.h"
#include "fs/path.h"
#include "kernel/param.h"
#include "lib/errno.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/usercopy.h"
#include "proc/exec.h"
#include "proc/proc.h"
#include "sys/args.h"
#include "sys/first.h"

int64 sys_exec(const uint64 *a);

static int read_inode(void *file, void *dst, uint64 off, uint32 n) {
  struct io_buffer io;
  kernel_io(&io, dst, n);
  return inode_read(file, &io, off);
}

static const char *last_part(const char *path) {
  const char *name = path;
  for (const char *c = path; *c; c++)
    if (*c == '/' && c[1] != 0) name = c + 1;
  return name;
}

// Runs the program at `path`; argc or a negative errno.  The file stays locked while
// it is read, so that it is one file that was checked and loaded.
static int exec_path(const char *path, const struct arguments *args) {
  struct inode *ip;
  struct stack_page stack;
  struct new_program new = {.vm = NULL};
  int result = exec_fetch(args, &stack);
  if (result) return result;
  result = namei(path, &ip);
  if (result) goto no_file;
  result = ilock(ip);
  if (result == 0) {
    struct program prog = {last_part(path), ip, ip->d->size, read_inode};
    result = ip->d->type == T_FILE ? exec_prepare(&prog, &stack, &new) : -EACCES;
    iunlock(ip);
  }
  iput(ip);
  if (result == 0) return exec_commit(&new);
  exec_drop(&new);
no_file:
  exec_drop_stack(&stack);
  return result;
}

int64 sys_exec(const uint64 *a) {
  char path[MAXPATH];
  int err = arg_path(a, 0, path);
  if (err) return err;
  struct arguments args = {.user = a[1]};
  if (args.user == 0) return -EFAULT;
  return exec_path(path, &args);
}

static void fail(const char *what, int err) __attribute__((noreturn));
static void fail(const char *what, int err) {
  printf_blocking("cannot %s: error %d\n", what, -err);
  message_drain();
  power_off(1);
}

void first_program(void) {
  struct proc *p = myproc();
  intr_on();
  int err = fs_init();
  if (err) fail("mount the root file system", err);
  p->files = files_create();
  if (p->files == NULL) fail("make the first file table", -ENOMEM);
  err = first_console();
  if (err) fail("open the console", err);

  char path[MAXPATH];
  if (!boot_option("init", path, sizeof(path))) strcpy_padded(path, "/init", sizeof(path));
  const char *const argv[] = {last_part(path), NULL};
  struct arguments args = {.kernel = argv};
  int argc = exec_path(path, &args);
  if (argc < 0) fail("run the first program", argc);
  p->tf->a[0] = argc;
  intr_off();
}
