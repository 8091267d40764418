// The adversaries.  Each process of one prepares itself, then attacks until it is
// killed; what it forks ends by itself.
#include "stress/neighbour/neighbour.h"

#include "kernel/atomic.h"
#include "kernel/fcntl.h"
#include "kernel/futex.h"
#include "kernel/memstat.h"
#include "user/thread.h"

#define FEW_PAGES   1000   // page table of 4 to 8 harts' processes, in little RAM
#define MANY_PAGES  45000
#define FLOOD       65536  // bytes of a write to the console
#define ALL         0x7fffffff
#define UNKNOWN     99     // no system call has this number

static char *heap;

static void touch_pages(int pages) {
  heap = sbrk(pages * PGSIZE);
  for (int i = 0; i < pages; i++) heap[i * PGSIZE] = 1;
}

static void spin(int rounds) {
  for (volatile int left = rounds; left > 0; left--) {
  }
}

// --- Page tables, printed for ever ---

static void prepare_few(void) { touch_pages(FEW_PAGES); }

static void print_for_ever(int which) {
  (void)which;
  for (;;) vmprint();
}

// --- Threads that want one address space in all ways, and with it the root directory ---

// One after the other: the page table is being printed; the break waits to be moved; the
// reader of the root, which has opened it before, waits behind that.
enum { IDLE, PRINTING, MOVING, STEPS };
static int step, root;

static void prepare_many(void) {
  touch_pages(MANY_PAGES);
  root = open("/", O_RDONLY);
}

// With time for the one before to get where it waits.
static void await(int which) {
  while (atomic_load_acquire(&step) % STEPS != which) continue;
  for (uint64 begin = now(); now() - begin < (plan.cores ? TURN : TURN / 50);) continue;
}

static void next_step(void) { atomic_add_acq_rel(&step, 1); }

static void grow_and_shrink(void *unused, void *unused2) {
  (void)unused, (void)unused2;
  for (;;) {
    await(PRINTING);
    next_step();
    if (sbrk(PGSIZE) != SBRK_ERROR) sbrk(-PGSIZE);
  }
}

static void read_root(void *unused, void *unused2) {
  static char bytes[64];
  (void)unused, (void)unused2;
  for (;;) {
    await(MOVING);
    read(root, bytes, sizeof(bytes));
    close(root);
    root = open("/", O_RDONLY);
    next_step();
  }
}

static void freeze(int which) {
  (void)which;
  thread_create(grow_and_shrink, 0, 0);
  thread_create(read_root, 0, 0);
  for (;;) {
    await(IDLE);
    next_step();
    vmprint();
  }
}

// --- Readers whose buffer is not there, or shared ---

static void read_into(const char *path, char *at, int n) {
  int fd = open(path, O_RDONLY);
  read(fd, at, n);
  close(fd);
}

// The second time each page is shared with a child that has not ended yet.
static void read_into_untouched(int which) {
  const char *path = which % 2 ? "/" : "/README.md";
  for (;;) {
    char *area = sbrk(3 * PGSIZE);
    read_into(path, area + PGSIZE / 2, 2 * PGSIZE);
    int pid = fork();
    if (pid == 0) {
      spin(1000);
      exit(0);
    }
    read_into(path, area + PGSIZE / 2, 2 * PGSIZE);
    if (pid > 0) wait(0);
    sbrk(-3 * PGSIZE);
  }
}

// --- The console ---

static void prepare_flood(void) {
  heap = sbrk(FLOOD);
  for (int i = 0; i < FLOOD; i++) heap[i] = i % 64 == 63 ? '\n' : '.';
}

static void flood(int which) {
  (void)which;
  for (;;) write(1, heap, FLOOD);
}

// --- Forks, and forks of forks: a process, two children, a child of each ---

static void bomb(int which) {
  (void)which;
  for (;;) {
    for (int i = 0; i < 2; i++) {
      if (fork() != 0) continue;
      if (fork() != 0) wait(0);
      exit(0);
    }
    while (wait(0) >= 0) continue;
  }
}

// --- Futexes ---

static int words[64];

static void wake_words(int wait) {
  for (int i = 0;; i = (i + 1) % COUNT_OF(words)) {
    int seen = atomic_load_acquire(&words[i]);
    if (wait && seen % 4 == 3) futex(&words[i], FUTEX_WAIT, seen);
    atomic_add_acq_rel(&words[i], 1);
    futex(&words[i], FUTEX_WAKE, ALL);
  }
}

static void also_wait(void *unused, void *unused2) {
  (void)unused, (void)unused2;
  wake_words(1);
}

// One never waits, so that none waits for ever.
static void futex_storm(int which) {
  (void)which;
  thread_create(also_wait, 0, 0);
  thread_create(also_wait, 0, 0);
  wake_words(0);
}

// --- All memory ---

// Takes every frame, page by page, gives a few back, and takes them again.
static void take_all(int which) {
  int held = 0, back = 1 + which % 4;
  for (;;) {
    while (sbrkeager(PGSIZE) != SBRK_ERROR) held++;
    if (held < back) continue;
    sbrk(-back * PGSIZE);
    held -= back;
  }
}

// --- Messages of the kernel ---

static void call_unknown(void) {
  register long number asm("a7") = UNKNOWN;
  register long result asm("a0");
  asm volatile("ecall" : "=r"(result) : "r"(number) : "memory");
}

static void cause_messages(int which) {
  for (;;) {
    if (which % 2 == 0) {
      call_unknown();
      continue;
    }
    if (fork() == 0) *(volatile char *)0 = 1;  // text: it dies
    wait(0);
  }
}

// --- Kills ---

static void be_killed(void) {
  for (int i = 0; i < 1000; i++) {
    int fd = open("/README.md", O_RDONLY);
    close(fd);
    if (fork() == 0) exit(0);
    wait(0);
    sbrk(PGSIZE)[0] = 1;
  }
  exit(0);
}

static void kill_children(int which) {
  for (int round = which;; round++) {
    int pid = fork();
    if (pid == 0) be_killed();
    if (pid < 0) continue;
    spin(round * 7919 % 20000);
    kill(pid);
    wait(0);
  }
}

// --- All of them ---

// Threads that want a hart at one time: of a bomb, two while the third waits for them;
// a killer spins or waits while its child or that one's child goes on; a reader has one
// child; who waits for a child to die of a fault does nothing else.  Those who print are
// two to a hart: where the kernel holds a hart for the port's sake, there is another to
// hold the victim's.
const struct adversary adversaries[] = {
    {"vmprint", prepare_few, print_for_ever, 2, 0, 1, 0, "print their page tables"},
    {"freeze", prepare_many, freeze, 0, 1, 3, 0, "vmprint, sbrk and read of / in one program"},
    {"readers", 0, read_into_untouched, 1, 0, 2, 0, "read into untouched and shared pages"},
    {"console", prepare_flood, flood, 2, 0, 1, 0, "long writes to the console"},
    {"forks", 0, bomb, 1, 0, 3, 0, "fork, a few at a time"},
    {"futexes", 0, futex_storm, 1, 0, 3, 0, "wait and wake without end"},
    {"memory", 0, take_all, 1, 0, 1, 1, "take all memory"},
    {"messages", 0, cause_messages, 2, 0, 1, 0, "make the kernel print"},
    {"kills", 0, kill_children, 1, 0, 2, 0, "kill children in fork, open and exit"},
};

const struct adversary *find_adversary(const char *name) {
  for (int i = 0; i < COUNT_OF(adversaries); i++)
    if (strcmp(adversaries[i].name, name) == 0) return &adversaries[i];
  return 0;
}

void list_adversaries(void) {
  for (int i = 0; i < COUNT_OF(adversaries); i++)
    printf("%s: %s\n", adversaries[i].name, adversaries[i].what);
}
