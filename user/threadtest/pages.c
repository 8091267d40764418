// Pages that are not ready, under every pointer that a call takes: each call does what it
// does with ready pages.  In a DEBUG build every fill and copy lets others run for a
// millisecond (INJECT_FAULT), and the kernel panics where one is made with a lock held that
// another process may wait for.
#include "kernel/types.h"
#include "kernel/fcntl.h"
#include "kernel/inject.h"
#include "kernel/memstat.h"
#include "kernel/procinfo.h"
#include "kernel/stat.h"
#include "user/threadtest/threadtest.h"

// Two pages, and what is so with them when the call is made.  An object lies in the first,
// or across the border.
enum state { READY, UNTOUCHED, SHARED, UNTOUCHED_SHARED, SHARED_UNTOUCHED, STATES };

#define ROOM  256  // bytes that the largest object has

static char *pages;
static int stop, file, fds[2];

static int is_across(enum state s) { return s >= UNTOUCHED_SHARED; }
static int is_untouched(enum state s, int page) {
  return s == UNTOUCHED || (s == UNTOUCHED_SHARED && page == 0) ||
         (s == SHARED_UNTOUCHED && page == 1);
}

// ---- the calls -------------------------------------------------------------

// Each makes one call with a pointer to n bytes at p, whose content may be cut short by
// zeros, and returns what the call did, undone again.  There is a file called file_name,
// and the same as other_name.

static const char file_name[] = "/pages.tmp/file", other_name[] = "/pages.tmp/other";
static const char program[] = "/sleep";

// Makes everything what it was after a call that may have made `path` or file_name.
static long undone(long result, const char *path) {
  if (result == 0) unlink(path);
  link(other_name, file_name);
  return result;
}

static long do_read(int fd, char *p, int n) {
  long got = read(fd, p, n), sum = got;
  for (int i = 0; i < got; i++) sum = sum * 31 + p[i];
  return sum;
}

static long read_file(char *p, int n) {
  int fd = open(file_name, O_RDONLY);
  long sum = do_read(fd, p, n);
  close(fd);
  return sum;
}

static long read_directory(char *p, int n) {
  int fd = open("/", O_RDONLY);
  long sum = do_read(fd, p, n);
  close(fd);
  return sum;
}

static long read_pipe(char *p, int n) {
  static char bytes[ROOM] = "through the pipe";
  CHECK_EQ(write(fds[1], bytes, n), n);
  return do_read(fds[0], p, n);
}

static long read_statistics(char *p, int n) {
  static char rest[64];
  int fd = open("/statistics", O_RDONLY);
  long got = read(fd, p, n);
  while (read(fd, rest, sizeof(rest)) > 0) continue;
  close(fd);
  return got;
}

static long write_file(char *p, int n) {
  static char seen[ROOM];
  int fd = open("/pages.tmp/out", O_CREATE | O_TRUNC | O_RDWR);
  long sum = write(fd, p, n);
  close(fd);
  fd = open("/pages.tmp/out", O_RDONLY);
  sum = sum * 31 + do_read(fd, seen, n);
  close(fd);
  return sum;
}

static long write_pipe(char *p, int n) {
  static char seen[ROOM];
  long put = write(fds[1], p, n);
  return put > 0 ? do_read(fds[0], seen, put) : put;
}

static long write_console(char *p, int n) {
  (void)n;
  int fd = open("/console", O_WRONLY);
  long put = write(fd, p, 1);
  close(fd);
  return put;
}

static long call_open(char *p, int n) {
  (void)n;
  int fd = open(p, O_RDONLY);
  if (fd >= 0) close(fd);
  return fd >= 0;
}

static long call_mknod(char *p, int n) {
  (void)n;
  unlink(file_name);
  return undone(mknod(p, 9, 0), p);
}

static long call_unlink(char *p, int n) {
  (void)n;
  return undone(unlink(p), "");
}

static long link_from(char *p, int n) {
  (void)n;
  return undone(link(p, "/pages.tmp/new"), "/pages.tmp/new");
}

static long link_to(char *p, int n) {
  (void)n;
  unlink(file_name);
  return undone(link(other_name, p), p);
}

static long call_mkdir(char *p, int n) {
  (void)n;
  unlink(file_name);
  return undone(mkdir(p), p);
}

static long call_chdir(char *p, int n) {
  (void)n;
  return chdir(p);  // no directory
}

static long call_fstat(char *p, int n) {
  (void)n;
  long result = fstat(file, (struct stat *)p);
  return result * 31 + (long)((struct stat *)p)->size;
}

static long call_pipe(char *p, int n) {
  (void)n;
  long result = pipe((int *)p);
  if (result == 0) {
    close(((int *)p)[0]);
    close(((int *)p)[1]);
  }
  return result;
}

static long call_memstat(char *p, int n) {
  (void)n;
  return memstat((struct memstat *)p) * 31 + (long)((struct memstat *)p)->total;
}

static long call_proclist(char *p, int n) {
  (void)n;
  return proclist((struct procinfo *)p, 2) * 31 + ((struct procinfo *)p)->pid;
}

static long call_wait(char *p, int n) {
  (void)n;
  int pid = must_fork();
  if (pid == 0) exit(77);
  return (wait((int *)p) == pid) * 31 + *(int *)p;
}

static void end(void *arg, void *arg2) {
  (void)arg2;
  *(int *)arg = 1;
  exit(0);
}

static char thread_stack[PGSIZE] __attribute__((aligned(PGSIZE)));

static long call_join(char *p, int n) {
  static int done;
  (void)n;
  must_clone(end, (long)&done, thread_stack);
  return join((void **)p) > 0 ? *(char **)p - thread_stack : -1;
}

static long call_futex(char *p, int n) {
  (void)n;
  return futex((int *)p, FUTEX_WAIT, 0x5a5a5a5a);  // it has another value
}

// The first page, wherever the object is.
static long clone_stack(char *p, int n) {
  static int done;
  (void)p, (void)n;
  set(&done, 0);
  must_clone(end, (long)&done, pages);
  return join(0) > 0 && get(&done);
}

// ---- exec, in a child ------------------------------------------------------

// Of sleep, which takes one number.
static long status_of(const char *path, char **argv) {
  int status = 0, pid = must_fork();
  if (pid == 0) {
    inject(INJECT_FAULT, 1);
    close(2);
    exec(path, argv);
    exit(99);
  }
  CHECK_EQ(wait(&status), pid);
  return status == 99 ? -1 : status;
}

static long exec_path(char *p, int n) {
  static char *argv[] = {"sleep", "0", 0};
  (void)n;
  return status_of(p, argv);
}

static long exec_string(char *p, int n) {
  char *argv[] = {"sleep", p, 0};
  (void)n;
  return status_of(program, argv);
}

static long exec_array(char *p, int n) {
  (void)n;
  return status_of(program, (char **)p);
}

// ---- each call in each state -----------------------------------------------

static char *const sleep_argv[3] = {"sleep", "0", 0};

static const struct {
  const char *name;
  long (*call)(char *p, int n);
  const void *content;  // 0: the call fills the object
  int bytes;
  int fails;            // whether it fails with a ready object, too
} calls[] = {
    {"read file", read_file, 0, 100, 0},
    {"read directory", read_directory, 0, 64, 0},
    {"read pipe", read_pipe, 0, 100, 0},
    {"read statistics", read_statistics, 0, 20, 0},
    {"write file", write_file, file_name, sizeof(file_name), 0},
    {"write pipe", write_pipe, file_name, sizeof(file_name), 0},
    {"write console", write_console, file_name, sizeof(file_name), 0},
    {"open", call_open, file_name, sizeof(file_name), 0},
    {"mknod", call_mknod, file_name, sizeof(file_name), 0},
    {"unlink", call_unlink, file_name, sizeof(file_name), 0},
    {"link from", link_from, file_name, sizeof(file_name), 0},
    {"link to", link_to, file_name, sizeof(file_name), 0},
    {"mkdir", call_mkdir, file_name, sizeof(file_name), 0},
    {"chdir", call_chdir, file_name, sizeof(file_name), 1},
    {"fstat", call_fstat, 0, sizeof(struct stat), 0},
    {"pipe", call_pipe, 0, 8, 0},
    {"memstat", call_memstat, 0, sizeof(struct memstat), 0},
    {"proclist", call_proclist, 0, 2 * sizeof(struct procinfo), 0},
    {"wait", call_wait, 0, 4, 0},
    {"join", call_join, 0, 8, 0},
    {"futex", call_futex, 0, 4, 1},
    {"clone", clone_stack, 0, 4, 0},
    {"exec path", exec_path, program, sizeof(program), 0},
    {"exec string", exec_string, file_name, sizeof(file_name), 0},
    {"exec array", exec_array, sleep_argv, sizeof(sleep_argv), 0},
};

// Where the object lies.  One that a word must not straddle is moved by its alignment.
static char *place_of(enum state s, int bytes) {
  if (!is_across(s)) return pages + 128;
  return pages + PGSIZE - (bytes > 8 ? bytes / 16 * 8 : 0);
}

// The content of a page in a state: what of the object lies in it, unless it is untouched.
static void fill_page(enum state s, int page, const char *content, char *p, int bytes) {
  if (is_untouched(s, page)) return;
  *(volatile char *)(pages + page * PGSIZE) = 0;
  for (int i = 0; i < bytes; i++)
    if ((p + i - pages) / PGSIZE == page) p[i] = content ? content[i] : 'e';
}

// Another state's content in ready pages: what is untouched there is zero here.
static long try(int c, enum state content, enum state s) {
  struct gate end_child;
  char *p = place_of(content, calls[c].bytes);
  memset(pages, 0, s == READY ? 2 * PGSIZE : 0);
  for (int page = 0; page < 2; page++)
    fill_page(content, page, calls[c].content, p, calls[c].bytes);
  int pid = 0;
  if (s != READY) {
    gate_make(&end_child);
    pid = must_fork();
    if (pid == 0) {
      gate_wait(&end_child);
      exit(0);
    }
  }
  inject(INJECT_FAULT, 1);
  long result = calls[c].call(p, calls[c].bytes);
  inject(INJECT_FAULT, 0);
  if (pid != 0) {
    gate_open(&end_child, 1);
    wait_for(pid, 0);
    gate_close(&end_child);
  }
  return result;
}

static void take_pages(void) { pages = (char *)PGROUNDUP((uint64)sbrk(3 * PGSIZE)); }

static void try_all(void) {
  for (int c = 0; c < COUNT_OF(calls); c++)
    for (int s = UNTOUCHED; s < STATES; s++) {
      take_pages();
      long ready = try(c, s, READY);
      CHECK(s != SHARED || ready >= 0 || calls[c].fails, "%s gave %ld", calls[c].name,
            ready);
      take_pages();
      long seen = try(c, s, s);
      CHECK(seen == ready, "%s, state %d: %ld, and with ready pages %ld", calls[c].name, s, seen,
            ready);
    }
}

static void start_files(void) {
  CHECK_EQ(mkdir("/pages.tmp"), 0);
  file = open(other_name, O_CREATE | O_RDWR);
  CHECK_EQ(write(file, "0123456789abcdef0123456789abcdef0123456789abcdef", 48), 48);
  CHECK_EQ(link(other_name, file_name), 0);
  CHECK_EQ(pipe(fds), 0);
}

static void end_files(void) {
  unlink("/pages.tmp/out");
  unlink(file_name);
  CHECK_EQ(unlink(other_name), 0);
  CHECK_EQ(unlink("/pages.tmp"), 0);
}

// With a single thread.
void test_pages_not_ready(void) {
  start_files();
  try_all();
  end_files();
}

enum { NOISE = 2000 };  // pages

// Fills pages, slowly; and stays, for call_join waits for any thread.
static void fault_slowly(void *area, void *unused) {
  (void)unused;
  inject(INJECT_FAULT, 1);
  for (int p = 0; p < NOISE && !get(&stop); p++) ((volatile char *)area)[p * PGSIZE] = 1;
  while (!get(&stop)) sleep(1);
}

// Wants the lock of the address space exclusively, again and again.
static void move_break(void *arg, void *arg2) {
  (void)arg, (void)arg2;
  for (int n = 0; !get(&stop); n++) {
    sbrk(0);
    linger(2000);
  }
}

// With several threads, of which one fills pages, and one wants the lock exclusively.
void test_pages_among_threads(void) {
  start_files();
  spawn(fault_slowly, (long)sbrk(NOISE * PGSIZE));
  spawn(move_break, 0);
  try_all();
  set(&stop, 1);
  join_all(2);
  end_files();
}
