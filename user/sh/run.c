// Running what was parsed.  Each command of a pipeline has a process of its own,
// but a lone `cd` or `exit` runs in the shell.  The shell never has children while
// it runs no pipeline: those in the background belong to init.
#include "kernel/types.h"
#include "kernel/fcntl.h"
#include "kernel/param.h"
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

// Runs a command of the shell's own.  Returns whether it was one; *status is then
// what it gave.
static int run_builtin(int argc, char **argv, int *status) {
  if (argc == 0) return 0;
  if (strcmp(argv[0], "exit") == 0) exit(argc > 1 ? atoi(argv[1]) : last_status);
  if (strcmp(argv[0], "cd") != 0) return 0;
  const char *path = argc > 1 ? argv[1] : "/";
  *status = chdir(path) < 0;
  if (*status) fprintf(2, "sh: cannot change to %s\n", path);
  return 1;
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
  // There is no way to open a file at its end: read up to there.
  if (fd >= 0 && redirect->kind == APPEND_TO)
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

static int run_processes(const struct command *commands) {
  int in = 0, started = 0, pid = 0;
  for (const struct command *c = commands; c && pid >= 0; c = c->next) {
    pid = start(c, in, &in);
    if (pid > 0) started++;
  }
  if (pid < 0 && in > 0) close(in);

  int result = 1;  // when the last command could not be started
  while (started-- > 0) {
    int status = 0;
    if (wait(&status) == pid) result = status;
  }
  return result;
}

static int run_pipeline(const struct command *commands) {
  // Whether it is a builtin shows when the words are expanded.
  if (!commands->next && !commands->body && !commands->redirects) {
    static char *argv[MAXARG];
    int status;
    int argc = expand_all(commands, argv);
    if (argc < 0) return USAGE;
    if (run_builtin(argc, argv, &status)) return status;
  }
  return run_processes(commands);
}

static int run_group(const struct group *group) {
  for (const struct pipeline *p = group->pipelines; p; p = p->next) {
    int run = p->when == ALWAYS || (p->when == IF_GOOD) == (last_status == 0);
    if (run) last_status = run_pipeline(p->commands);
  }
  return last_status;
}

// Runs a group in a grandchild that init inherits at once.
static int run_in_background(const struct group *group) {
  int pid = fork();
  if (pid == 0) {
    int job = fork();
    if (job == 0) {
      leave_source();
      exit(run_group(group));
    }
    exit(job < 0);
  }
  int status = 1;
  if (pid > 0) wait(&status);
  if (status != 0) fprintf(2, "sh: cannot start a process\n");
  return status;
}

int run_list(const struct group *list) {
  for (const struct group *group = list; group; group = group->next)
    last_status = group->background ? run_in_background(group) : run_group(group);
  return last_status;
}
