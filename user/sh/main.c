// sh [file]: reads commands from the file or from descriptor 0, a line at a time,
// and runs them.  It prompts when it reads from the console, and ends at the end
// of its input with the status of the last pipeline.
#include "kernel/types.h"
#include "kernel/fcntl.h"
#include "kernel/stat.h"
#include "user/user.h"

#include "user/sh/sh.h"

int last_status;
int source;

static int on_console(void) {
  struct stat st;
  return source == 0 && fstat(0, &st) == 0 && st.type == T_DEVICE;
}

// Reads a line without its newline.  Returns its length, however long it is, of
// which at most LINE_MOST - 1 bytes are kept; -1 at the end of the input.  Bytes
// are read singly, since the commands may read what follows.
static int read_line(char *line) {
  int length = 0;
  char c;
  for (;;) {
    if (read(source, &c, 1) != 1) {
      if (length == 0) return -1;
      break;
    }
    if (c == '\n') break;
    if (c == 0) continue;
    if (length < LINE_MOST - 1) line[length] = c;
    length++;
  }
  line[length < LINE_MOST ? length : LINE_MOST - 1] = 0;
  return length;
}

static void run_line(const char *line) {
  struct group *list;
  if (parse_line(line, &list) < 0)
    last_status = 2;
  else
    last_status = run_list(list);
}

int main(int argc, char **argv) {
  static char line[LINE_MOST];
  int fd = open("console", O_RDWR);  // a shell has three descriptors at least
  while (fd >= 0 && fd < 2) fd = dup(fd);
  if (fd > 2) close(fd);

  if (argc > 1 && (source = open(argv[1], O_RDONLY)) < 0) {
    fprintf(2, "sh: cannot open %s\n", argv[1]);
    return 127;
  }
  int prompt = on_console();
  for (;;) {
    if (prompt) fprintf(2, "$ ");
    int length = read_line(line);
    if (length < 0) return last_status;
    if (length < LINE_MOST) {
      run_line(line);
    } else {
      fprintf(2, "sh: the line is too long: %d bytes of at most %d\n", length, LINE_MOST - 1);
      last_status = 2;
    }
  }
}
