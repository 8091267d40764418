// Bytes that go through the kernel: their pattern, buffers for them, file names.
#include "stress/stress/stress.h"

char *fresh_buffer(uint64 *size) {
  *size = 1 + below(3 * PGSIZE);
  char *base = sbrk(4 * PGSIZE);
  CHECK(base != SBRK_ERROR, "no room for a buffer");
  return base + below(PGSIZE);
}

void drop_buffer(void) { sbrk(-4 * PGSIZE); }

void check_bytes(const char *at, uint64 owner, uint64 from, uint64 n) {
  for (uint64 i = 0; i < n; i++)
    CHECK((uint8)at[i] == byte_of(owner, from + i), "worker %d: byte %ld of %ld is %d, not %d",
          me.slot, i, n, (uint8)at[i], byte_of(owner, from + i));
}

void decimal(char *text, int number) {
  char digits[12];
  int n = 0;
  do digits[n++] = '0' + number % 10;
  while ((number /= 10) > 0);
  while (n > 0) *text++ = digits[--n];
  *text = 0;
}

void own_name(char name[NAME_MOST], const char *what, int i) {
  strcpy(name, PLACE "/");
  strcpy(name + strlen(name), what);
  decimal(name + strlen(name), me.slot);
  int at = strlen(name);
  name[at] = '-';
  name[at + 1] = '0' + i;
  name[at + 2] = 0;
}

int files_are_short(void) {
  int fd = open("/", O_RDONLY);
  if (fd >= 0) close(fd);
  return fd < 0;
}
