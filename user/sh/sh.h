// The shell: what its three parts tell each other.
//
//   main.c    reads lines
//   parse.c   turns a line into groups of pipelines of commands
//   run.c     runs these
//
// The grammar, where [] may be left out and ... may be repeated:
//
//   list      group [; or & group] ... [; or &]
//   group     pipeline [&& or || pipeline] ...
//   pipeline  command [| command] ...
//   command   word or redirection, ...       a word `name`, 'text' or "text"
//             ( list ) [redirection] ...     joined as they touch
//   redirection   < word, > word, >> word
//
// `$?` in a word, not between ' and ', is the status of the last pipeline.  A word
// that would begin with # begins a comment.
#pragma once

enum {
  LINE_MOST = 1024,  // bytes of a line, its NUL included
  DEPTH_MOST = 6,    // of subshells inside each other: the stack is one page
};

// A piece of the line, with its quotes.
struct word {
  const char *text;
  int length;
  struct word *next;
};

struct redirect {
  enum { READ_FROM, WRITE_TO, APPEND_TO } kind;
  struct word *path;
  struct redirect *next;
};

struct command {
  struct word *words;          // the program and its arguments, or
  struct group *body;          // a subshell's commands
  struct redirect *redirects;  // in the order written
  int pid;                     // of its process, once it is started and until it ends
  struct command *next;        // what its output goes to
};

struct pipeline {
  struct command *commands;
  enum { ALWAYS, IF_GOOD, IF_BAD } when;  // by the status before it
  struct pipeline *next;
};

struct group {
  struct pipeline *pipelines;
  int background;
  struct group *next;
};

// The status of the last pipeline, for $?.
extern int last_status;

// The descriptor that commands are read from; children close it unless it is 0.
extern int source;

// Parses a line.  Returns 0 and *list, which is 0 for an empty line and lasts
// until the next call; or -1 after a message.
int parse_line(const char *line, struct group **list);

// Runs a list and returns the status of the last pipeline that ran.
int run_list(const struct group *list);
