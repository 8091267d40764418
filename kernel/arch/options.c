// Boot options: see arch/options.h.  THE list of them is `known`.
#include "arch/options.h"

#include "lib/printf.h"
#include "lib/string.h"

#define DIGITS  18  // at most: no number of so many overflows

static char options[512];  // [const after boot] key=value, space-separated
static bool cut;           // [const after boot] there were more

enum form { TEXT, NUMBER, WORD };

static const struct known {
  const char *key;
  enum form form;
  const char *word;  // the only value of a WORD
} known[] = {
    {"crash", NUMBER, NULL}, {"init", TEXT, NULL},   {"panic", WORD, "halt"},
    {"root", WORD, "ram"},   {"seed", NUMBER, NULL}, {"watchdog", NUMBER, NULL},
};

void options_set(const char *text, uint32 length) {
  cut = length > sizeof(options);
  strcpy_padded(options, text, MIN(length, sizeof(options)));
}

// The word at s: its length up to a space or the end.
static size_t word_length(const char *s) {
  const char *end = strchr(s, ' ');
  return end ? (size_t)(end - s) : strlen(s);
}

static bool is_number(const char *s, size_t n) {
  if (n > DIGITS) return false;
  for (; n > 0; n--, s++)
    if (*s < '0' || *s > '9') return false;
  return true;
}

static const char *value_fault(const struct known *option, const char *value, size_t n) {
  if (n == 0) return "has no value";
  if (option->form == NUMBER && !is_number(value, n)) return "is no decimal number";
  if (option->form == WORD && (n != strlen(option->word) || strncmp(value, option->word, n) != 0))
    return "has an unknown value";
  return NULL;
}

// Why a word counts as not given, or NULL.
static const char *fault(const char *word, size_t length) {
  for (uint32 i = 0; i < ARRAY_LEN(known); i++) {
    size_t n = strlen(known[i].key);
    if (length > n && strncmp(word, known[i].key, n) == 0 && word[n] == '=')
      return value_fault(&known[i], word + n + 1, length - n - 1);
  }
  return "is not known";
}

void options_check(void) {
  if (cut) printf("boot options: what is beyond %lu bytes is ignored\n", sizeof(options));
  for (const char *s = options; *s; s += *s == ' ') {
    size_t length = word_length(s);
    const char *why = length > 0 ? fault(s, length) : NULL;
    char word[40];
    strcpy_padded(word, s, MIN(sizeof(word), length + 1));
    if (why) printf("boot option %s %s: ignored\n", word, why);
    s += length;
  }
}

bool boot_option(const char *key, char *out, size_t size) {
  size_t n = strlen(key);
  for (const char *s = options; *s; s += *s == ' ') {
    size_t length = word_length(s);
    if (length > n && strncmp(s, key, n) == 0 && s[n] == '=' && fault(s, length) == NULL) {
      strcpy_padded(out, s + n + 1, MIN(size, length - n));
      return true;
    }
    s += length;
  }
  return false;
}

uint64 boot_number(const char *key) {
  char value[24] = "";
  boot_option(key, value, sizeof(value));
  uint64 n = 0;
  for (const char *c = value; *c >= '0' && *c <= '9'; c++) n = n * 10 + (*c - '0');
  return n;
}
