// The supervisor.  Each slot has a keeper, which forks a worker of the slot's
// storm and, when that ends, tells the supervisor and forks the next.  The
// supervisor kills a worker now and then, and sees to it that all get on.
#include "stress/stress/run.h"

#include "stress/stress/record.h"
#include "stress/stress/stress.h"

#define WORKERS_MOST  120
#define FRAMES_LEAST  250                    // of memory for a worker
#define PATIENCE      (60 * TICKS_A_SECOND)  // without a word from a worker

static struct {
  const struct storm *storm;
  int pid;         // of the worker; 0 between two
  int keeper;      // its process
  int was_killed;  // by the supervisor
  int heard;       // when it said something last
  int bad;         // a life of it went wrong
  long operations;
  int lives, killed;
} slots[WORKERS_MOST];

static struct worker model;             // of all workers
static int workers, hungry, deadline;
static int report[2], alive[2];  // alive: held open by all keepers and what they fork

// --- Helpers of the supervisor ---

static void work(int slot, int life) {
  close(report[0]);
  close(alive[0]);
  me = model;
  me.slot = slot;
  me.life = life;
  random_start(me.seed * 1000003 + slot * 4096 + life);
  me.owner = new_owner();
  for (;;) {
    slots[slot].storm->operation();
    operation_done();
  }
}

static void keep(int slot) {
  for (int life = 0; uptime() < deadline; life++) {
    int status = 0, pid = fork();
    if (pid == 0) work(slot, life);
    if (pid < 0) {
      sleep(1);
      continue;
    }
    record_send(report[1], STARTED, slot, pid);
    CHECK(wait(&status) == pid, "the worker of slot %d is lost", slot);
    record_send(report[1], ENDED, slot, status);
  }
  exit(0);
}

static void tick_for_ever(void) {
  close(alive[0]);
  close(alive[1]);
  close(report[0]);
  for (;;) {
    sleep(1);
    record_send(report[1], TICK, 0, 0);
  }
}

static void watch_for_the_end(void) {
  char nothing;
  close(alive[1]);
  close(report[0]);
  read(alive[0], &nothing, 1);  // ends with the last copy of the other end
  record_send(report[1], GONE, 0, 0);
  exit(0);
}

// --- The supervisor ---

static void worker_ended(int slot, int status) {
  int starved = hungry || memstat_now().free < 64;
  if (status != 0 && !(status == KILLED && (slots[slot].was_killed || starved))) {
    printf("stress: worker %d (%s) ended with %d\n", slot, slots[slot].storm->name, status);
    slots[slot].bad = 1;
  }
  slots[slot].lives++;
  slots[slot].killed += slots[slot].was_killed;
  slots[slot].pid = 0;
}

static void kill_worker(int slot) {
  slots[slot].was_killed |= kill(slots[slot].pid) == 0;
}

// Kills a worker now and then, and any that has not been heard of for too long.
static void on_tick(int now) {
  int victim = below(2 * workers);
  if (victim < workers && slots[victim].pid && now < deadline &&
      !(slots[victim].storm->flags & SPARED)) {
    spin(50000);  // not always at the tick
    kill_worker(victim);
  }
  for (int i = 0; i < workers; i++) {
    if (slots[i].pid == 0 || now - slots[i].heard < PATIENCE) continue;
    printf("stress: worker %d (%s) makes no progress\n", i, slots[i].storm->name);
    slots[i].bad = 1;
    slots[i].heard = now;
    kill_worker(i);
  }
}

// Until nothing is left that a keeper or a worker forked.  Returns 0 if that
// does not happen.
static int supervise(void) {
  struct record r;
  while (uptime() < deadline + 2 * PATIENCE) {
    CHECK(read(report[0], &r, sizeof(r)) == sizeof(r), "the workers cannot be heard");
    CHECK(r.type >= TICK && r.type <= GONE && r.slot < WORKERS_MOST, "record %d of slot %d", r.type,
          r.slot);
    int now = uptime();
    slots[r.slot].heard = r.type == TICK ? slots[r.slot].heard : now;
    switch (r.type) {
      case TICK: on_tick(now); break;
      case STARTED:
        slots[r.slot].pid = r.value;
        slots[r.slot].was_killed = 0;
        break;
      case PROGRESS: slots[r.slot].operations += r.value; break;
      case ENDED: worker_ended(r.slot, r.value); break;
      default: return 1;
    }
  }
  return 0;
}

static void reap_keepers(void) {
  for (int pid, status; (pid = wait(&status)) >= 0;)
    for (int i = 0; i < workers; i++)
      if (slots[i].keeper == pid && status != 0 && !(hungry && status == KILLED)) slots[i].bad = 1;
}

struct result run(const struct order *order) {
  int helpers[2];
  struct result result = {0, 0};
  CHECK(pipe(report) == 0 && pipe(alive) == 0, "no pipe");
  CHECK(mkdir(PLACE) == 0, "there is something at %s", PLACE);
  deadline = uptime() + order->seconds * TICKS_A_SECOND;
  model = (struct worker){.seed = order->seed, .frames = order->frames, .workers = order->workers,
                          .alone = workers == 1, .hungry = hungry, .deadline = deadline,
                          .report = report[1]};
  if ((helpers[0] = must_fork()) == 0) tick_for_ever();
  if ((helpers[1] = must_fork()) == 0) watch_for_the_end();
  for (int i = 0; i < workers; i++) {
    slots[i].heard = uptime();
    if ((slots[i].keeper = must_fork()) == 0) keep(i);
  }
  own_pages();
  close(alive[0]);
  close(alive[1]);
  close(report[1]);
  result.all_gone = supervise();
  for (int i = 0; i < workers && !result.all_gone; i++) {
    kill(slots[i].keeper);
    if (slots[i].pid) kill(slots[i].pid);
  }
  for (int i = 0; i < 2; i++) kill(helpers[i]);
  close(report[0]);
  reap_keepers();
  for (int i = 0; i < workers; i++) result.bad += slots[i].bad;
  return result;
}

// --- Sharing out ---

static int slots_of(const struct storm *storm, int upto) {
  int n = 0;
  for (int i = 0; i < upto; i++) n += slots[i].storm == storm;
  return n;
}

void share_out(struct order *order, uint64 free) {
  int wanted = order->workers;
  if (wanted > WORKERS_MOST) wanted = WORKERS_MOST;
  if ((uint64)wanted > free / FRAMES_LEAST) wanted = free / FRAMES_LEAST;
  if (wanted < 1) wanted = 1;
  for (int next = 0, refused = 0; workers < wanted && refused < order->count; next++) {
    const struct storm *storm = order->storms[next % order->count];
    refused++;
    if (storm->most && slots_of(storm, workers) >= storm->most) continue;
    slots[workers++].storm = storm;
    if (storm->flags & HUNGRY) hungry = 1;
    refused = 0;
  }
  order->workers = workers;
  order->frames = free / 10 * 6 / workers;
}

void print_totals(const struct order *order) {
  for (int k = 0; k < order->count; k++) {
    long operations = 0;
    int lives = 0, killed = 0;
    if (slots_of(order->storms[k], workers) == 0) continue;
    for (int i = 0; i < workers; i++) {
      if (slots[i].storm != order->storms[k]) continue;
      operations += slots[i].operations;
      lives += slots[i].lives;
      killed += slots[i].killed;
    }
    printf("%s: %ld operations, %d lives, %d killed\n", order->storms[k]->name, operations, lives,
           killed);
  }
}
