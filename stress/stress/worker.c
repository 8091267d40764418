// What all workers do: report, draw random numbers, stamp and check pages.
#include "stress/stress/stress.h"

#include "stress/stress/record.h"

struct worker me;

void operation_done(void) {
  int now = uptime();
  me.operations++;
  if (now != me.heard) {
    record_send(me.report, PROGRESS, me.slot, me.operations);
    me.operations = 0;
    me.heard = now;
  }
  if (now >= me.deadline) exit(0);
}

int descend(void) {
  uint64 seed = random_number();
  int pid = fork();
  if (pid == 0) {
    me.report = -1;
    random_start(seed ^ getpid());
    me.owner = new_owner();
  }
  return pid;
}

int memory_is_short(void) {
  if (me.hungry) return 1;
  struct memstat now = memstat_now();
  return now.free < now.total / 16;
}

void child_must_be_well(int was_killed) {
  int status = 0x5eed, pid = wait(&status);
  CHECK(pid > 0, "wait gave %d", pid);
  if (status == KILLED && (was_killed || memory_is_short())) return;
  CHECK(status == 0, "process %d of worker %d ended with %d", pid, me.slot, status);
}

// --- Numbers ---

void record_send(int fd, enum record_type type, int slot, int value) {
  struct record r = {type, slot, value};
  if (write(fd, &r, sizeof(r)) != sizeof(r)) exit(1);
}

static uint64 sequence;

static uint64 mix(uint64 x) {
  x = (x ^ (x >> 33)) * 0x9fb21c651e98df25UL;
  x = (x ^ (x >> 35)) * 0xc2b2ae3d27d4eb4fUL;
  return x ^ (x >> 32);
}

void random_start(uint64 seed) { sequence = mix(seed + 0x2545f4914f6cdd1dUL); }

uint64 random_number(void) { return mix(sequence += 0x9e3779b97f4a7c15UL); }

uint64 new_owner(void) { return mix(random_number() + getpid()); }

void spin(uint64 most) {
  for (volatile uint64 left = below(most); left > 0; left--) {
  }
}

// --- Stamps ---

static uint64 first_word(uint64 owner, uint64 page, uint64 generation) {
  return mix(owner ^ mix((page << 24) + generation));
}

#define WORD_STEP  0xd6e8feb86659fd93UL  // word i of a page is the first plus i steps

void page_stamp(uint64 *at, int words, uint64 owner, uint64 page, uint64 generation) {
  uint64 word = first_word(owner, page, generation);
  for (int i = 0; i < words; i++, word += WORD_STEP) at[i] = word;
}

void page_check(const uint64 *at, int words, uint64 owner, uint64 page, uint64 generation) {
  uint64 word = generation ? first_word(owner, page, generation) : 0;
  uint64 step = generation ? WORD_STEP : 0;
  for (int i = 0; i < words; i++, word += step)
    CHECK(at[i] == word, "worker %d: page %ld generation %ld word %d at %p is 0x%lx, not 0x%lx",
          me.slot, page, generation, i, (void *)(at + i), at[i], word);
}

// --- Memory ---

char *align_break(void) {
  uint64 end = (uint64)sbrk(0);
  CHECK(sbrk(PGROUNDUP(end) - end) == (char *)end, "the break is not where it was");
  return sbrk(0);
}

// The kernel stores into data, and refuses to store into the constants below.
uint64 data_start(void) {
  extern char end[];
  static uint64 start;
  struct memstat kept;
  if (start) return start;
  uint64 at = PGROUNDDOWN((uint64)end - 1);
  for (; at > 0; at -= PGSIZE) {
    memcpy(&kept, (void *)at, sizeof(kept));
    if (memstat((struct memstat *)at) < 0) break;
    memcpy((void *)at, &kept, sizeof(kept));
  }
  return start = at + PGSIZE;
}

void own_pages(void) {
  extern char end[];
  for (uint64 at = data_start(); at < (uint64)end; at += PGSIZE) {
    volatile char *byte = (volatile char *)at;
    *byte = *byte;
  }
  volatile char on_stack = 1;
  (void)on_stack;
}
