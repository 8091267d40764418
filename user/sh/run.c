// Running what was parsed.  Each command of a pipeline has a process of its own,
// but a lone `cd` or `exit` runs in the shell.  The shell waits for the processes that it
// has started; others may be its children from before it became a shell.  Jobs in the
// background belong to init, and read nothing: their input is an empty pipe.
#include "kernel/types.h"
#include "kernel/fcntl.h"
#include "kernel/param.h"
#include "kernel/stat.h"
#include "user/user.h"

#include "user/sh/sh.h"

enum { USAGE = 2, NOT_RUN = 127 };  // statuses

// ---- words -----------------------------------------------------------------

// Expanded words of the present command.
static char store[8192];
static int stored;

static int keep(const char *bytes, int n) {
  if (stored + n > (int)sizeof(store)) return -1;
  memcpy(store + stored, bytes, n);
  stored += n;
  return 0;
}

static int keep_status(void) {
  char digits[12];
  int n = sizeof(digits);
  uint value = last_status < 0 ? -(uint)last_status : (uint)last_status;
  do digits[--n] = '0' + value % 10;
  while (value /= 10);
  if (last_status < 0) digits[--n] = '-';
  return keep(digits + n, sizeof(digits) - n);
}

// The word without its quotes and with $? filled in; 0 when there is no room.
static char *expand(const struct word *word) {
  char *start = store + stored;
  char quote = 0;
  int bad = 0;
  const char *end = word->text + word->length;
  for (const char *c = word->text; c < end && !bad; c++) {
    if (quote ? *c == quote : *c == '\'' || *c == '"') {
      quote = quote ? 0 : *c;
    } else if (quote != '\'' && c[0] == '$' && c + 1 < end && c[1] == '?') {
      bad = keep_status();
      c++;
    } else {
      bad = keep(c, 1);
    }
  }
  return bad || keep("", 1) < 0 ? 0 : start;
}

// Expands a command's words into argv.  Returns how many there are, or -1 after a
// message.
static int expand_all(const struct command *command, char **argv) {
  int n = 0;
  stored = 0;
  for (const struct word *word = command->words; word; word = word->next) {
    argv[n] = n < MAXARG - 1 ? expand(word) : 0;
    if (argv[n++]) continue;
    fprintf(2, n == MAXARG ? "sh: too many arguments\n" : "sh: the arguments are too long\n");
    return -1;
  }
  argv[n] = 0;
  return n;
}

// ---- commands --------------------------------------------------------------

static int is_builtin(int argc, char **argv) {
  return argc > 0 && (strcmp(argv[0], "exit") == 0 || strcmp(argv[0], "cd") == 0);
}

// Runs a command of the shell's own.  Returns whether it was one; *status is then
// what it gave.
static int run_builtin(int argc, char **argv, int *status) {
  if (!is_builtin(argc, argv)) return 0;
  if (strcmp(argv[0], "exit") == 0) exit(argc > 1 ? atoi(argv[1]) : last_status);
  const char *path = argc > 1 ? argv[1] : "/";
  *status = chdir(path) < 0;
  if (*status) fprintf(2, "sh: cannot change to %s\n", path);
  return 1;
}

static int is_file(int fd) {
  struct stat st;
  return fstat(fd, &st) == 0 && st.type == T_FILE;
}

// A descriptor for the redirection, or -1 after a message.
static int open_redirect(const struct redirect *redirect) {
  static const int flags[] = {
      [READ_FROM] = O_RDONLY,
      [WRITE_TO] = O_WRONLY | O_CREATE | O_TRUNC,
      [APPEND_TO] = O_RDWR | O_CREATE,
  };
  stored = 0;
  const char *path = expand(redirect->path);
  int fd = path ? open(path, flags[redirect->kind]) : -1;
  if (fd < 0) fprintf(2, "sh: cannot open %s\n", path ? path : "a name so long");
  // There is no way to open a file at its end: read up to there.  A device has none.
  if (fd >= 0 && redirect->kind == APPEND_TO && is_file(fd))
    while (read(fd, store, sizeof(store)) > 0) continue;
  return fd;
}

// Makes `fd` the descriptor `as`, of this process alone.
static void move_fd(int fd, int as) {
  if (fd == as) return;
  close(as);
  dup(fd);
  close(fd);
}

static void exec_program(char **argv) {
  exec(argv[0], argv);
  // Programs stand in the root directory, wherever the shell is.
  static char path[MAXPATH] = "/";
  if (!strchr(argv[0], '/') && strlen(argv[0]) < MAXPATH - 1) {
    strcpy(path + 1, argv[0]);
    exec(path, argv);
  }
  fprintf(2, "sh: cannot run %s\n", argv[0]);
  exit(NOT_RUN);
}

static void leave_source(void) {
  if (source != 0) close(source);
  source = 0;
}

// The life of a command's own process.
static void __attribute__((noreturn)) become(const struct command *command) {
  static char *argv[MAXARG];
  leave_source();
  for (const struct redirect *r = command->redirects; r; r = r->next) {
    int fd = open_redirect(r);
    if (fd < 0) exit(1);
    move_fd(fd, r->kind == READ_FROM ? 0 : 1);
  }
  if (command->body) exit(run_list(command->body));
  int argc = expand_all(command, argv);
  int status = 0;
  if (argc < 0) exit(USAGE);
  if (argc > 0 && !run_builtin(argc, argv, &status)) exec_program(argv);
  exit(status);
}

// ---- pipelines -------------------------------------------------------------

// Starts a command that reads from `in`, which is closed here, and whose output
// goes to *next_in, a new pipe's end, when there is a command after it.  Returns
// its process or -1 after a message.
static int start(const struct command *command, int in, int *next_in) {
  int link[2] = {-1, -1};
  int pid = -1;
  if (!command->next || pipe(link) == 0) {
    pid = fork();
    if (pid == 0) {
      if (command->next) {
        close(link[0]);
        move_fd(link[1], 1);
      }
      move_fd(in, 0);
      become(command);
    }
  }
  if (pid < 0) fprintf(2, "sh: cannot start a process\n");
  if (in != 0) close(in);
  if (command->next && link[1] >= 0) close(link[1]);
  *next_in = link[0];
  return pid;
}

// The command whose process this is; 0: a child that is none of the pipeline.
static struct command *command_of(struct command *commands, int pid) {
  for (struct command *c = commands; c; c = c->next)
    if (c->pid == pid) return c;
  return 0;
}

static int wait_for_all(struct command *commands, int started) {
  int result = 1;  // when the last command could not be started
  while (started > 0) {
    int status = 0, pid = wait(&status);
    if (pid < 0) break;
    struct command *ended = command_of(commands, pid);
    if (!ended) continue;
    ended->pid = 0;
    started--;
    if (!ended->next) result = status;
  }
  return result;
}

static int run_processes(struct command *commands) {
  int in = 0, started = 0, failed = 0;
  for (struct command *c = commands; c && !failed; c = c->next) {
    c->pid = start(c, in, &in);
    failed = c->pid < 0;
    started += !failed;
  }
  if (failed && in > 0) close(in);
  return wait_for_all(commands, started);
}

// What redirections do for a command that runs in the shell: it prints nothing and reads
// nothing, but the files are made.  Returns 0, or -1 after a message.
static int touch_redirects(const struct command *command) {
  for (const struct redirect *r = command->redirects; r; r = r->next) {
    int fd = open_redirect(r);
    if (fd < 0) return -1;
    close(fd);
  }
  return 0;
}

// Runs a lone command in the shell, if it is of that kind; returns whether it is.
static int run_here(const struct command *command, int *status) {
  static char *argv[MAXARG];
  int argc = expand_all(command, argv);
  *status = USAGE;
  if (argc < 0) return 1;
  if (!is_builtin(argc, argv)) return 0;
  *status = 1;
  if (touch_redirects(command) < 0) return 1;
  return run_builtin(expand_all(command, argv), argv, status);  // the names took their room
}

static int run_pipeline(struct command *commands) {
  int status;
  if (!commands->next && !commands->body && run_here(commands, &status)) return status;
  return run_processes(commands);
}

static int run_group(const struct group *group) {
  for (const struct pipeline *p = group->pipelines; p; p = p->next) {
    int run = p->when == ALWAYS || (p->when == IF_GOOD) == (last_status == 0);
    if (run) last_status = run_pipeline(p->commands);
  }
  return last_status;
}

// The life of a job in the background: whatever it reads has ended.
static void __attribute__((noreturn)) become_job(const struct group *group) {
  int empty[2];
  leave_source();
  if (pipe(empty) < 0) {
    fprintf(2, "sh: cannot make a pipe\n");
    exit(1);
  }
  close(empty[1]);
  move_fd(empty[0], 0);
  exit(run_group(group));
}

// Runs a group in a grandchild that init inherits at once.
static int run_in_background(const struct group *group) {
  int pid = fork();
  if (pid == 0) {
    int job = fork();
    if (job == 0) become_job(group);
    exit(job < 0);
  }
  int status = 1, ended;
  do ended = pid > 0 ? wait(&status) : -1;
  while (ended >= 0 && ended != pid);
  if (ended < 0 || status != 0) fprintf(2, "sh: cannot start a process\n");
  return ended < 0 ? 1 : status;
}

int run_list(const struct group *list) {
  for (const struct group *group = list; group; group = group->next)
    last_status = group->background ? run_in_background(group) : run_group(group);
  return last_status;
}
