// Pipes: bytes in order and none lost, ends that close, waits that end.
#include "user/usertests/ut.h"

static uint8 buffer[3000];

// Writes bytes [from, to) of an owner's stream in pieces of odd sizes.
static void stream_out(int fd, uint64 owner, uint64 total) {
  for (uint64 done = 0; done < total;) {
    uint64 n = 1 + next_random() % sizeof(buffer);
    if (n > total - done) n = total - done;
    for (uint64 i = 0; i < n; i++) buffer[i] = file_byte(owner, done + i);
    EXPECT_AT(done, write(fd, buffer, n), ==, n);
    done += n;
  }
}

// Reads until the end, in pieces of other sizes; how many bytes there were.
static uint64 stream_in(int fd, uint64 owner) {
  uint64 done = 0;
  for (int n; (n = read(fd, buffer, 1 + next_random() % sizeof(buffer))) != 0; done += n) {
    EXPECT_AT(done, n, >, 0);
    for (int i = 0; i < n; i++) EXPECT_AT(done + i, buffer[i], ==, file_byte(owner, done + i));
  }
  return done;
}

// A stream, up and down, between two processes.
void test_pipe1(void) {
  for (int child_writes = 0; child_writes < 2; child_writes++) {
    int ends[2];
    EXPECT(pipe(ends), ==, 0);
    int child = must_fork() == 0;
    if (child == child_writes) {
      close(ends[0]);
      stream_out(ends[1], 1, 40000);
      close(ends[1]);
    } else {
      close(ends[1]);
      EXPECT(stream_in(ends[0], 1), ==, 40000);
      close(ends[0]);
    }
    if (child) exit(0);
    join_all(1);
  }
}

// Several writers and readers; every message of four bytes arrives whole and
// once, whoever reads it.
void test_pipe_many(void) {
  int ends[2], sums[2];
  uint message;
  EXPECT(pipe(ends), ==, 0);
  EXPECT(pipe(sums), ==, 0);
  for (int i = 0; i < 6; i++) {
    if (must_fork() != 0) continue;
    close(ends[0]);
    for (uint k = 0; k < 200; k++) {
      message = 1000 * i + k;
      EXPECT(write(ends[1], &message, 4), ==, 4);
    }
    exit(0);
  }
  close(ends[1]);
  for (int i = 0; i < 3; i++) {
    if (must_fork() != 0) continue;
    uint64 sum = 0;
    for (int n; (n = read(ends[0], &message, 4)) != 0; sum += message) EXPECT(n, ==, 4);
    EXPECT(write(sums[1], &sum, 8), ==, 8);
    exit(0);
  }
  uint64 total = 0, part;
  for (int i = 0; i < 3; i++) {
    EXPECT(read(sums[0], &part, 8), ==, 8);
    total += part;
  }
  join_all(9);
  EXPECT(total, ==, 200UL * 1000 * 15 + 6UL * 199 * 200 / 2);
}

// Two processes that wake each other thousands of times: a wakeup lost once
// hangs them.  (Pitfall 41.)
void test_pingpong(void) {
  for (int pair = 0; pair < 2; pair++) {
    int there[2], back[2];
    uint turn;
    EXPECT(pipe(there), ==, 0);
    EXPECT(pipe(back), ==, 0);
    if (must_fork() == 0) {
      int echo = must_fork() == 0;
      int in = echo ? there[0] : back[0], out = echo ? back[1] : there[1];
      for (uint i = 0; i < 2000; i++) {
        if (!echo) EXPECT(write(out, &i, 4), ==, 4);
        EXPECT(read(in, &turn, 4), ==, 4);
        EXPECT(turn, ==, i);
        if (echo) EXPECT(write(out, &i, 4), ==, 4);
      }
      if (!echo) join_all(1);
      exit(0);
    }
    for (int i = 0; i < 2; i++) {
      close(there[i]);
      close(back[i]);
    }
  }
  join_all(2);
}

static uint64 clock_now(void) {
  uint64 now;
  asm volatile("rdtime %0" : "=r"(now));
  return now;
}

static void spin_until(uint64 when) {
  while ((long)(clock_now() - when) < 0) continue;
}

// Answers every message at the time that it names, with the time it arrived.
static void answer_in_time(int in, int out) {
  for (uint64 when; read(in, &when, 8) == 8;) {
    uint64 ready = clock_now();
    spin_until(when);
    EXPECT(write(out, &ready, 8), ==, 8);
  }
}

// One looks into an empty pipe just when the other, on another hart, writes: they
// agree on the moment, give or take a little, and neither sleeps before it.  Who
// then goes to sleep without a second look, sleeps for good.  (Pitfall 41.)
void test_pipe_meet(void) {
  enum { ROUNDS = 1500, SPREAD = 40, LEAD_MAX = 2000 };  // of time, in 100 ns
  int there[2], back[2];
  EXPECT(pipe(there), ==, 0);
  EXPECT(pipe(back), ==, 0);
  if (must_fork() == 0) {
    close(there[1]);
    answer_in_time(there[0], back[1]);
    exit(0);
  }
  uint64 lead = LEAD_MAX;
  for (int round = 0; round < ROUNDS; round++) {
    uint64 meet = clock_now() + lead, when = meet + next_random() % SPREAD, ready;
    EXPECT(write(there[1], &when, 8), ==, 8);
    spin_until(meet + next_random() % SPREAD);
    EXPECT_AT(round, read(back[0], &ready, 8), ==, 8);
    // As early as the other one can make it.
    lead = (long)(ready - meet) < 0 ? lead - lead / 32 : 2 * lead;
    if (lead > LEAD_MAX) lead = LEAD_MAX;
  }
  close(there[1]);
  join_all(1);
}

// A copy that fails takes nothing out of a pipe, and the ends still mean what
// they did; the reader that is gone makes write fail.  (Pitfalls 32, 55.)
void test_pipe_keeps(void) {
  int ends[2];
  char text[32];
  EXPECT(pipe(ends), ==, 0);
  EXPECT(write(ends[1], "abcdefgh", 8), ==, 8);
  for (int i = 0; i < bad_address_count; i++) {
    EXPECT_AT(i, read(ends[0], (void *)bad_addresses[i], 8), ==, -1);
    EXPECT_AT(i, write(ends[1], (void *)bad_addresses[i], 8), ==, -1);
  }
  EXPECT(write(ends[1], "ij", 2), ==, 2);
  EXPECT(read(ends[0], text, sizeof(text)), ==, 10);
  EXPECT(memcmp(text, "abcdefghij", 10), ==, 0);

  EXPECT(read(ends[1], text, 1), ==, -1);
  EXPECT(write(ends[0], text, 1), ==, -1);
  close(ends[0]);
  EXPECT(write(ends[1], text, 1), ==, -1);
  EXPECT(write(ends[1], text, 1), ==, -1);
  close(ends[1]);
  EXPECT(read(ends[0], text, 1), ==, -1);
}

// pipe() that cannot tell its descriptors has opened none.  (Pitfall 35.)
void test_pipe_badptr(void) {
  char *base = page_break();
  grow(PGSIZE);
  int *split = (int *)(base + PGSIZE - 4);  // room for one of the two
  for (int round = 0; round < 40; round++) {
    EXPECT_AT(round, pipe((int *)bad_addresses[round % bad_address_count]), ==, -1);
    EXPECT_AT(round, pipe(split), ==, -1);
    EXPECT_AT(round, pipe((int *)test_pipe_badptr), ==, -1);
  }
  int fds[NOFILE], n = 0;
  while (n < NOFILE && (fds[n] = dup(0)) >= 0) n++;
  EXPECT(n, ==, NOFILE - 3);
  close(fds[0]);  // one free slot is no room for a pipe, and stays free
  EXPECT(pipe(fds), ==, -1);
  EXPECT(dup(0), >=, 0);
  EXPECT(dup(0), ==, -1);
}

// wait() that cannot store the status leaves the child to be waited for.
// (Pitfall 33.)
void test_wait_badptr(void) {
  EXPECT(wait((int *)bad_addresses[0]), ==, -1);
  int pid = must_fork();
  if (pid == 0) exit(77);
  for (int i = 0; i < bad_address_count; i++)
    EXPECT_AT(i, wait((int *)bad_addresses[i]), ==, -1);
  EXPECT(wait((int *)test_wait_badptr), ==, -1);
  EXPECT(wait((int *)(stack_page() - PGSIZE)), ==, -1);
  int status = 0;
  EXPECT(wait(&status), ==, pid);
  EXPECT(status, ==, 77);
  EXPECT(wait(&status), ==, -1);
}
