// What the library makes of futexes, and the library itself under several threads.
#include "user/threadtest/threadtest.h"

enum { THREADS = 4 };

static struct mutex mutex;
static struct cond changed, room;
static int counter, inside, started, stop;

// ---- mutexes ---------------------------------------------------------------

static void count_locked(void *rounds, void *unused) {
  (void)unused;
  for (long i = 0; i < (long)rounds; i++) {
    mutex_lock(&mutex);
    CHECK_EQ(add(&inside, 1), 0);
    int seen = counter;
    if (i % 16 == 0) linger(200);
    counter = seen + 1;
    CHECK_EQ(add(&inside, -1), 1);
    mutex_unlock(&mutex);
  }
}

void test_mutual_exclusion(void) {
  enum { ROUNDS = 5000 };
  for (int i = 0; i < THREADS; i++) spawn(count_locked, ROUNDS);
  join_all(THREADS);
  CHECK_EQ(counter, THREADS * ROUNDS);
}

static void hold(void *arg, void *arg2) {
  (void)arg, (void)arg2;
  mutex_lock(&mutex);
  set(&started, 1);
  doze_until(&stop, 1);
  mutex_unlock(&mutex);
}

void test_trylock(void) {
  CHECK_EQ(mutex_trylock(&mutex), 1);
  CHECK_EQ(mutex_trylock(&mutex), 0);
  mutex_unlock(&mutex);
  spawn(hold, 0);
  doze_until(&started, 1);
  CHECK_EQ(mutex_trylock(&mutex), 0);
  set(&stop, 1);
  mutex_lock(&mutex);
  mutex_unlock(&mutex);
  join_all(1);
  CHECK_EQ(mutex_trylock(&mutex), 1);
}

// ---- condition variables ---------------------------------------------------

enum { SLOTS = 3, ITEMS = 1500 };
static int buffer[SLOTS], filled, put_at, take_at;

static void produce(void *first, void *unused) {
  (void)unused;
  for (int i = 0; i < ITEMS; i++) {
    mutex_lock(&mutex);
    while (filled == SLOTS) cond_wait(&room, &mutex);
    buffer[put_at++ % SLOTS] = (long)first + i;
    filled++;
    cond_signal(&changed);
    mutex_unlock(&mutex);
  }
}

static uint64 sum;
static void consume(void *arg, void *arg2) {
  (void)arg, (void)arg2;
  for (int i = 0; i < ITEMS; i++) {
    mutex_lock(&mutex);
    while (filled == 0) cond_wait(&changed, &mutex);
    CHECK(filled > 0 && filled <= SLOTS, "%d of %d slots are filled", filled, SLOTS);
    sum += buffer[take_at++ % SLOTS];
    filled--;
    cond_signal(&room);
    mutex_unlock(&mutex);
  }
}

void test_bounded_buffer(void) {
  for (int i = 0; i < 2; i++) {
    spawn(produce, i * ITEMS);
    spawn(consume, 0);
  }
  join_all(4);
  CHECK_EQ(filled, 0);
  CHECK_EQ(sum, (uint64)ITEMS * (2 * ITEMS - 1));
}

static void wait_change(void *arg, void *arg2) {
  (void)arg, (void)arg2;
  mutex_lock(&mutex);
  started++;
  while (!stop) cond_wait(&changed, &mutex);
  counter++;
  mutex_unlock(&mutex);
}

void test_broadcast(void) {
  enum { SLEEPERS = 10, ROUNDS = 20 };
  for (int round = 0; round < ROUNDS; round++) {
    stop = started = counter = 0;
    for (int i = 0; i < SLEEPERS; i++) spawn(wait_change, 0);
    while (get(&started) < SLEEPERS) linger(1000);
    mutex_lock(&mutex);
    stop = 1;
    cond_broadcast(&changed);
    mutex_unlock(&mutex);
    join_all(SLEEPERS);
    CHECK_EQ(counter, SLEEPERS);
  }
}

// ---- the library -----------------------------------------------------------

struct piece {
  uint size;
  uint8 mark;
  uint8 bytes[];
};
static struct piece *exchange[16];

static void check_piece(const struct piece *p) {
  for (uint i = 0; i < p->size; i++) CHECK_EQ(p->bytes[i], p->mark);
}

// Gives each block to whoever comes along next, who checks and frees it.
static void allocate(void *arg, void *unused) {
  (void)unused;
  uint random = 12345 + (long)arg;
  for (int i = 0; i < 1500; i++) {
    random = random * 1103515245 + 12345;
    uint size = (random >> 16) % (i % 50 == 0 ? 20000 : 200);
    struct piece *mine = malloc(sizeof(struct piece) + size);
    CHECK(mine, "no memory for %d bytes", size);
    mine->size = size;
    mine->mark = random >> 8;
    memset(mine->bytes, mine->mark, size);
    struct piece *other = atomic_swap_acq_rel(&exchange[random % COUNT_OF(exchange)], mine);
    if (other == 0) continue;
    check_piece(other);
    free(other);
  }
}

void test_malloc_in_threads(void) {
  for (int i = 0; i < THREADS; i++) spawn(allocate, i);
  join_all(THREADS);
  for (int i = 0; i < COUNT_OF(exchange); i++)
    if (exchange[i]) check_piece(exchange[i]);
}

enum { LINES = 100, LINE = 40 };  // bytes of a line, the newline included
static int lines[2];

static void print(void *mark, void *unused) {
  (void)unused;
  char text[LINE];
  for (int i = 0; i < LINE - 8; i++) text[i] = (long)mark;
  text[LINE - 8] = 0;
  for (int i = 0; i < LINES; i++) fprintf(lines[1], "%s %06d\n", text, i);
}

// One call, one line: they do not mix.  Each thread's come in order.
void test_printf_in_threads(void) {
  static char line[LINE];
  static int next[THREADS];
  CHECK_EQ(pipe(lines), 0);
  for (int i = 0; i < THREADS; i++) spawn(print, 'a' + i);
  for (int n = 0; n < THREADS * LINES; n++) {
    for (int got = 0; got < LINE;) {
      int more = read(lines[0], line + got, LINE - got);
      CHECK(more > 0, "read gave %d", more);
      got += more;
    }
    int thread = line[0] - 'a';
    CHECK(thread >= 0 && thread < THREADS, "a line that begins with %d", line[0]);
    for (int i = 0; i < LINE - 8; i++) CHECK_EQ(line[i], line[0]);
    CHECK_EQ(line[LINE - 1], '\n');
    line[LINE - 1] = 0;
    CHECK_EQ(atoi(line + LINE - 7), next[thread]++);
  }
  join_all(THREADS);
}

static void allocate_on(void *arg, void *arg2) {
  (void)arg, (void)arg2;
  while (!get(&stop)) free(malloc(300));
}

// A child may use the heap, whatever the other threads were doing to it.
void test_fork_with_heap(void) {
  for (int i = 0; i < 3; i++) spawn(allocate_on, 0);
  for (int i = 0; i < 20; i++) {
    int pid = must_fork();
    if (pid == 0) {
      for (int n = 0; n < 100; n++) free(malloc(10 * n));
      exit(0);
    }
    wait_for(pid, 0);
  }
  set(&stop, 1);
  join_all(3);
}
