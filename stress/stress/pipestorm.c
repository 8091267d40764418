// pipestorm: bytes through pipelines of three, in buffers that nobody touched
// before, from page to page; and a few bytes to and fro, so that each side falls
// asleep for every one.
#include "stress/stress/stress.h"

// Each end is held by one process alone, so that the rest of a pipeline ends when
// one of them is killed; a write that fails then says so by the status only.
static void produce(int to, uint64 owner, uint64 total) {
  for (uint64 done = 0; done < total;) {
    uint64 n;
    char *at = fresh_buffer(&n);
    if (n > total - done) n = total - done;
    for (uint64 i = 0; i < n; i++) at[i] = byte_of(owner, done + i);
    if (write(to, at, n) != (int)n) exit(1);
    drop_buffer();
    done += n;
  }
}

// Reads until the end.  Returns how much there was.
static uint64 consume(int from, uint64 owner, int to) {
  uint64 done = 0, n;
  int got;
  do {
    char *at = fresh_buffer(&n);
    got = read(from, at, n);
    if (got < 0 && memory_is_short()) exit(KILLED);
    CHECK(got >= 0, "a pipe gave %d", got);
    check_bytes(at, owner, done, got);
    if (to >= 0 && got > 0 && write(to, at, got) != got) exit(1);
    drop_buffer();
    done += got;
  } while (got > 0);
  return done;
}

// A stage of a pipeline may have ended early where memory is short.
static void end_stage(void) {
  int status = 0;
  CHECK(wait(&status) > 0, "a stage of worker %d is lost", me.slot);
  CHECK(status == 0 || memory_is_short(), "a stage of worker %d ended with %d", me.slot, status);
}

// Producer, filter and consumer.  Where a process or a pipe is not to be had the
// stream is shorter by that stage, or there is none.
static void pipeline(void) {
  int first[2], second[2], child[2] = {-1, -1};
  uint64 owner = new_owner(), total = below(below(8) ? 9000 : 60000);
  if (pipe(first) < 0) return;
  if (pipe(second) == 0) {
    if ((child[0] = descend()) == 0) {
      close(first[0]);
      close(second[0]);
      close(second[1]);
      produce(first[1], owner, total);
      exit(0);
    }
    close(first[1]);
    if (child[0] > 0 && (child[1] = descend()) == 0) {
      close(second[0]);
      consume(first[0], owner, second[1]);
      exit(0);
    }
    close(second[1]);
    if (child[0] > 0) {
      if (child[1] > 0) close(first[0]);
      uint64 seen = consume(child[1] > 0 ? second[0] : first[0], owner, -1);
      CHECK(seen == total || memory_is_short(), "worker %d: %ld of %ld bytes came through",
            me.slot, seen, total);
    }
    close(second[0]);
  } else {
    close(first[1]);
  }
  if (child[1] <= 0) close(first[0]);
  for (int i = 0; i < 2; i++)
    if (child[i] > 0) end_stage();
}

#define EXCHANGES  100

static void answer(int from, int to) {
  char some[8];
  for (int got; (got = read(from, some, sizeof(some))) > 0;) {
    for (int i = 0; i < got; i++) some[i]++;
    if (write(to, some, got) != got) break;
  }
  exit(0);
}

static void exchange(void) {
  int there[2], back[2];
  char sent[8], got[8];
  if (pipe(there) < 0) return;
  int pid = pipe(back) < 0 ? -2 : descend();
  if (pid == 0) {
    close(there[1]);
    close(back[0]);
    answer(there[0], back[1]);
  }
  close(there[0]);
  if (pid >= -1) close(back[1]);
  for (int i = 0; i < EXCHANGES && pid > 0; i++) {
    int n = 1 + below(sizeof(sent)), seen = 0;
    for (int k = 0; k < n; k++) sent[k] = i + k * 7;
    int all = write(there[1], sent, n) == n;
    for (int more = 1; all && seen < n && more > 0; seen += more > 0 ? more : 0)
      more = read(back[0], got + seen, n - seen);
    CHECK(seen == n || memory_is_short(), "worker %d: %d of %d bytes came back", me.slot, seen, n);
    for (int k = 0; k < seen; k++)
      CHECK(got[k] == (char)(sent[k] + 1), "byte %d of %d came back wrong", k, n);
  }
  close(there[1]);
  if (pid >= -1) close(back[0]);
  if (pid > 0) end_stage();
}

void pipestorm_operation(void) {
  if (below(4)) pipeline();
  else exchange();
}
