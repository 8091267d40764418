// The library of user/lib, where C says what it does.
#include "user/usertests/ut.h"

void test_atoi(void) {
  EXPECT(atoi(" \t\n\v\f\r-12x"), ==, -12);
  EXPECT(atoi("\n+7"), ==, 7);
  EXPECT(atoi("- 7"), ==, 0);
  EXPECT(atoi("\b7"), ==, 0);
}

// What fprintf makes of a character.
static void expect_printed(const char *format, int c, const char *wanted, int n) {
  char seen[16];
  int ends[2];
  EXPECT(pipe(ends), ==, 0);
  fprintf(ends[1], format, c);
  close(ends[1]);
  EXPECT(read(ends[0], seen, sizeof(seen)), ==, n);
  EXPECT(memcmp(seen, wanted, n), ==, 0);
  close(ends[0]);
}

void test_printf_char(void) {
  expect_printed("<%.0c>", 'a', "<a>", 3);
  expect_printed("<%3c>", 'a', "<  a>", 5);
  expect_printed("<%-3c>", 'a', "<a  >", 5);
  expect_printed("<%3c>", 0, "<  \0>", 5);
}

static void free_it(void *block) {
  close(2);  // the message is not for the screen
  free(block);
}

static void free_twice(void *block) {
  free(block);
  free_it(block);
}

// free() of what is no block in use ends the program; what was allocated can be freed.
void test_free(void) {
  static uint64 area[8] __attribute__((aligned(16)));
  char *block[5];
  for (int i = 0; i < 5; i++) EXPECT_AT(i, (block[i] = malloc(100 * i + 1)) != 0, ==, 1);
  uint64 here[2];
  EXPECT(child_status(free_it, 0), ==, 0);
  for (int i = 0; i < 5; i++) {
    EXPECT_AT(i, child_status(free_it, block[i]), ==, 0);
    EXPECT_AT(i, child_status(free_twice, block[i]), ==, KILLED);
    EXPECT_AT(i, child_status(free_it, block[i] + 8), ==, KILLED);
    EXPECT_AT(i, child_status(free_it, block[i] + 16), ==, KILLED);
  }
  EXPECT(child_status(free_it, here), ==, KILLED);
  EXPECT(child_status(free_it, area + 2), ==, KILLED);
  EXPECT(child_status(free_it, (char *)sbrk(0)), ==, KILLED);
  for (int i = 0; i < 5; i += 2) free(block[i]);
  for (int i = 1; i < 5; i += 2) free(block[i]);
  EXPECT(child_status(free_it, block[2]), ==, KILLED);  // now amid a free block
}
