// grep pattern [file...]: prints the lines that match.
//
// A pattern is made of characters, `.` for any one, `*` after either for any
// number of them, `^` at its start and `$` at its end.  Status 0: a line matched,
// 1: none did, 2: something went wrong.  Of a line longer than the buffer, each
// piece of the buffer's size is taken for a line.
#include "kernel/types.h"
#include "kernel/fcntl.h"
#include "user/user.h"

enum { MOST_ATOMS = 63 };

// The pattern as atoms.  Matching follows all ways through it together: bit i of
// a set says that atoms 0 to i - 1 may have been matched by what was read.
static struct {
  int count;
  char want[MOST_ATOMS];
  uint64 any;      // atoms that are a dot
  uint64 repeats;  // atoms with a star
  int at_start, at_end;
} pattern;

static char buf[4096 + 1];

static int compile(const char *text) {
  if (*text == '^') pattern.at_start = 1, text++;
  for (; *text; text++) {
    if (text[0] == '$' && text[1] == 0) {
      pattern.at_end = 1;
      break;
    }
    if (pattern.count == MOST_ATOMS) return -1;
    uint64 bit = 1ul << pattern.count;
    if (*text == '.') pattern.any |= bit;
    pattern.want[pattern.count++] = *text;
    if (text[1] == '*') pattern.repeats |= bit, text++;
  }
  return 0;
}

// Adds what follows from taking a starred atom no further.
static uint64 skip_stars(uint64 set) {
  for (int i = 0; i < pattern.count; i++)
    if (set & pattern.repeats & (1ul << i)) set |= 1ul << (i + 1);
  return set;
}

static uint64 step(uint64 set, char c) {
  uint64 next = 0;
  for (int i = 0; i < pattern.count; i++) {
    uint64 bit = 1ul << i;
    if (!(set & bit) || !((pattern.any & bit) || pattern.want[i] == c)) continue;
    next |= pattern.repeats & bit ? bit : bit << 1;
  }
  return next;
}

static int matches(const char *line) {
  uint64 done = 1ul << pattern.count;
  uint64 set = skip_stars(1);
  for (; *line; line++) {
    if ((set & done) && !pattern.at_end) return 1;
    set = step(set, *line);
    if (!pattern.at_start) set |= 1;
    set = skip_stars(set);
  }
  return (set & done) != 0;
}

// Prints [line, end) with a newline when it matches; the byte at end is spare.
static int try_line(char *line, char *end) {
  *end = 0;
  if (!matches(line)) return 0;
  *end = '\n';
  write(1, line, end + 1 - line);
  return 1;
}

// Returns how many lines matched, or -1 when the input cannot be read.
static int search(int fd) {
  const int size = sizeof(buf) - 1;
  int held = 0, found = 0, n;
  while ((n = read(fd, buf + held, size - held)) > 0) {
    held += n;
    char *line = buf;
    for (char *at = buf; at < buf + held; at++) {
      if (*at != '\n') continue;
      found += try_line(line, at);
      line = at + 1;
    }
    held = buf + held - line;
    memmove(buf, line, held);
    if (held == size) {
      found += try_line(buf, buf + held);
      held = 0;
    }
  }
  if (held > 0) found += try_line(buf, buf + held);
  return n < 0 ? -1 : found;
}

int main(int argc, char **argv) {
  if (argc < 2 || compile(argv[1]) < 0) {
    fprintf(2, argc < 2 ? "usage: grep pattern [file...]\n" : "grep: the pattern is too long\n");
    return 2;
  }
  int found = 0, bad = 0;
  for (int i = 2; i < argc || i == 2; i++) {
    int fd = argc == 2 ? 0 : open(argv[i], O_RDONLY);
    int n = fd < 0 ? -1 : search(fd);
    if (n < 0) {
      fprintf(2, "grep: cannot read %s\n", argc == 2 ? "the input" : argv[i]);
      bad = 1;
    } else {
      found += n;
    }
    if (fd > 0) close(fd);
  }
  return bad ? 2 : found == 0;
}
