// From a line to what it means.  Everything a line turns into lies in one arena
// that the next line uses again; nothing is run here, so a line with an error in
// it does nothing at all.
#include "kernel/types.h"
#include "user/user.h"

#include "user/sh/sh.h"

enum token {
  END, WORD, SEMICOLON, AMPERSAND, BOTH, EITHER, BAR, OPEN, CLOSE, LESS, GREATER, APPEND
};

static char arena[64 * 1024] __attribute__((aligned(16)));
static uint arena_used;

static const char *at;        // what is not read yet, behind the present token
static enum token token;      // the present one
static const char *text;      // where it stands
static const char *wrong;     // the first error; 0: none
static const char *wrong_at;  // where
static int depth;

static struct group *parse_list(void);

static void fail(const char *message) {
  if (wrong) return;
  wrong = message;
  wrong_at = text;
}

// Zeroed room in the arena.  When there is no more, an error is set and the start
// of the arena is given again, which is harmless: the result is thrown away.
static void *room(uint bytes) {
  bytes = (bytes + 15) / 16 * 16;
  if (arena_used + bytes > sizeof(arena)) {
    fail("too many commands");
    arena_used = 0;
  }
  void *place = arena + arena_used;
  arena_used += bytes;
  return memset(place, 0, bytes);
}

// ---- tokens ----------------------------------------------------------------

static int is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

static void skip_word(void) {
  while (*at && !is_space(*at) && !strchr(";&|()<>", *at)) {
    char c = *at++;
    if (c != '\'' && c != '"') continue;
    const char *closing = strchr(at, c);
    if (closing == 0) fail("a quote is not closed");
    at = closing ? closing + 1 : at + strlen(at);
  }
}

static enum token one_or_two(char second, enum token two, enum token one) {
  if (*at != second) return one;
  at++;
  return two;
}

static enum token read_token(void) {
  switch (*text) {
    case 0:
    case '#': return END;
    case ';': at++; return SEMICOLON;
    case '(': at++; return OPEN;
    case ')': at++; return CLOSE;
    case '<': at++; return LESS;
    case '>': at++; return one_or_two('>', APPEND, GREATER);
    case '&': at++; return one_or_two('&', BOTH, AMPERSAND);
    case '|': at++; return one_or_two('|', EITHER, BAR);
    default: skip_word(); return WORD;
  }
}

// After an error everything reads as the end, so that all loops stop.
static void next(void) {
  while (is_space(*at)) at++;
  text = at;
  token = read_token();
  if (wrong) token = END;
}

// ---- grammar ---------------------------------------------------------------

static struct word *parse_word(void) {
  if (token != WORD) {
    fail("a word is missing");
    next();
    return 0;
  }
  struct word *word = room(sizeof(*word));
  word->text = text;
  word->length = at - text;
  next();
  return word;
}

static struct redirect *parse_redirect(void) {
  struct redirect *redirect = room(sizeof(*redirect));
  redirect->kind = token == LESS ? READ_FROM : token == GREATER ? WRITE_TO : APPEND_TO;
  next();
  redirect->path = parse_word();
  return redirect;
}

static struct group *parse_body(void) {
  if (++depth > DEPTH_MOST) fail("too many subshells inside each other");
  next();
  struct group *body = parse_list();
  depth--;
  if (body == 0) fail("nothing between ( and )");
  if (token != CLOSE) fail("a ) is missing");
  next();
  return body;
}

static struct command *parse_command(void) {
  struct command *command = room(sizeof(*command));
  struct word **word = &command->words;
  struct redirect **redirect = &command->redirects;
  if (token == OPEN) command->body = parse_body();
  for (;;) {
    if (token == LESS || token == GREATER || token == APPEND) {
      *redirect = parse_redirect();
      redirect = &(*redirect)->next;
    } else if (token == WORD && !command->body) {
      *word = parse_word();
      word = &(*word)->next;
    } else {
      break;
    }
  }
  if (!command->body && !command->words && !command->redirects) fail("a command is missing");
  return command;
}

static struct pipeline *parse_pipeline(void) {
  struct pipeline *pipeline = room(sizeof(*pipeline));
  struct command **command = &pipeline->commands;
  for (;;) {
    *command = parse_command();
    command = &(*command)->next;
    if (token != BAR) return pipeline;
    next();
  }
}

static struct group *parse_group(void) {
  struct group *group = room(sizeof(*group));
  struct pipeline *pipeline = group->pipelines = parse_pipeline();
  while (token == BOTH || token == EITHER) {
    int when = token == BOTH ? IF_GOOD : IF_BAD;
    next();
    pipeline->next = parse_pipeline();
    pipeline = pipeline->next;
    pipeline->when = when;
  }
  return group;
}

static struct group *parse_list(void) {
  struct group *list = 0, **group = &list;
  while (token != END && token != CLOSE) {
    *group = parse_group();
    if (token == AMPERSAND) (*group)->background = 1;
    if (token != AMPERSAND && token != SEMICOLON) break;
    group = &(*group)->next;
    next();
  }
  return list;
}

int parse_line(const char *line, struct group **list) {
  arena_used = 0;
  wrong = 0;
  depth = 0;
  at = line;
  next();
  *list = parse_list();
  if (!wrong && token != END) fail("out of place");
  if (!wrong) return 0;
  fprintf(2, "sh: syntax error at `%.20s`: %s\n", *wrong_at ? wrong_at : "the end", wrong);
  return -1;
}
