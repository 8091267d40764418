// THE system-call list.  One line a call:
//
//   SYSCALL(number, name, result, parameters)
//
// It is included with different definitions of SYSCALL to make the numbers
// (kernel/syscall.h), the dispatch table (sys/syscall.c: sys_<name>), the user
// prototypes (user/user.h) and the user stubs (user/usys.S).  To add a call,
// add a line here and write sys_<name>.  Numbers 1 to 22 are xv6's, and 23 to 63 stay
// unknown: the labs of one year or another use them, and a program of theirs must find
// no other call there.  This project's own begin at 64.  SYSCALL_RAW marks a call whose plain name the user library gives to a wrapper of its own:
// its stub is called sys_<name>.
#ifndef SYSCALL_RAW
#define SYSCALL_RAW SYSCALL
#endif
SYSCALL(1, fork, int, (void))
SYSCALL(2, exit, int, (int status))
SYSCALL(3, wait, int, (int *status))
SYSCALL(4, pipe, int, (int *fds))
SYSCALL(5, read, int, (int fd, void *buf, int n))
SYSCALL(6, kill, int, (int pid))
SYSCALL(7, exec, int, (const char *path, char **argv))
SYSCALL(8, fstat, int, (int fd, struct stat *st))
SYSCALL(9, chdir, int, (const char *path))
SYSCALL(10, dup, int, (int fd))
SYSCALL(11, getpid, int, (void))
SYSCALL_RAW(12, sbrk, char *, (int n, int mode))
SYSCALL(13, sleep, int, (int ticks))
SYSCALL(14, uptime, int, (void))
SYSCALL(15, open, int, (const char *path, int flags))
SYSCALL(16, write, int, (int fd, const void *buf, int n))
SYSCALL(17, mknod, int, (const char *path, short major, short minor))
SYSCALL(18, unlink, int, (const char *path))
SYSCALL(19, link, int, (const char *from, const char *to))
SYSCALL(20, mkdir, int, (const char *path))
SYSCALL(21, close, int, (int fd))
SYSCALL(22, sync, int, (void))
// This project's own.
SYSCALL(64, poweroff, int, (int status))
SYSCALL(65, memstat, int, (struct memstat *out))
SYSCALL(66, proclist, int, (struct procinfo *out, int max))
SYSCALL(67, vmprint, int, (void))
SYSCALL(68, inject, int, (int point, int after))
SYSCALL(69, clone, int, (void (*fn)(void *, void *), void *arg1, void *arg2, void *stack))
SYSCALL(70, join, int, (void **stack))
SYSCALL(71, futex, int, (int *addr, int op, int val))
#undef SYSCALL_RAW
