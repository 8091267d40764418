// counters: a plugin for QEMU, a library of the host, that counts what harts do while they
// all work at once, and finds the cache lines that they contend for.
//
//   qemu-system-riscv64 -plugin libcounters.so,out=FILE[,workers=N][,lines=on] ...
//
// The guest executes instructions without effect that this file recognises:
//
//   slti x0, x0, 0x100 + n   worker n begins
//   slti x0, x0, 0x200 + n   worker n ends
//   slti x0, x0, 0x300       one operation is done
//
// The window is open from the moment the last of N workers (default: as many as harts) has
// begun until the first of them ends.  Only what happens in it counts, by the hart it
// happens on: so every figure is one of N workers that run together.  Whenever a window
// closes its figures are appended to FILE, in lines of words:
//
//   window CHANGES                                       how often another hart went on
//   hart H NAME COUNT ...                               one for each hart
//   line PHYSICAL VIRTUAL MOVES USER [H:READS:WRITES]... at [PC:MOVES]...
//                                        with lines=on: one for each that conflicts
//
// A line is 64 bytes of RAM.  It conflicts when two harts touch it and one of them writes
// (the test of commutativity in "The Scalable Commutativity Rule", Clements and others,
// 2013).  It moves when a hart reads it that has not got it, or writes it while another
// has it too: what a coherent cache of unlimited size would have to fetch or invalidate.
// Walks of page tables by the hart itself and devices are not seen.
//
// What is used of QEMU's interface (docs/devel/tcg-plugins) is declared here, so that no
// header is needed.  PLUGIN_API is 1 for QEMU 7.2 to 8.2, 2 from 9.0 on.
#include <inttypes.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// ---- the emulator's side -----------------------------------------------------

#ifndef PLUGIN_API
#define PLUGIN_API 1
#endif
#define EXPORT __attribute__((visibility("default")))

struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_plugin_hwaddr;

struct emulator {
  const char *target;
  struct { int least, now; } api;
  bool whole_system;
  struct { int harts, most; } system;
};

typedef void translated_fn(uint64_t id, struct qemu_plugin_tb *block);
typedef void executed_fn(unsigned hart, void *data);
typedef void accessed_fn(unsigned hart, uint32_t what, uint64_t address, void *data);
enum { NO_REGISTERS = 0, READS_AND_WRITES = 3 };

void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id, translated_fn *fn);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn, executed_fn *fn,
                                            int registers, void *data);
void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *insn, accessed_fn *fn,
                                      int registers, int accesses, void *data);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *block);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *block, size_t i);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
bool qemu_plugin_mem_is_store(uint32_t what);
struct qemu_plugin_hwaddr *qemu_plugin_get_hwaddr(uint32_t what, uint64_t address);
bool qemu_plugin_hwaddr_is_io(const struct qemu_plugin_hwaddr *where);
uint64_t qemu_plugin_hwaddr_phys_addr(const struct qemu_plugin_hwaddr *where);
// Up to interface 2 this takes only the first argument and returns a pointer to the
// bytes; from 3 on it copies `size` of them and returns how many.
uintptr_t qemu_plugin_insn_data(const struct qemu_plugin_insn *insn, void *to, size_t size);

EXPORT int qemu_plugin_version = PLUGIN_API;
EXPORT int qemu_plugin_install(uint64_t id, const struct emulator *qemu, int argc, char **argv);

// ---- state -------------------------------------------------------------------

#define MOST_HARTS   16
#define MOST_PLACES  16
#define LINE         64
#define KERNEL(address)  ((int64_t)(address) < 0)  // the upper half is the kernel's

#define COUNTS(COUNT)                                                                 \
  COUNT(OPERATIONS, "operations") COUNT(INSTRUCTIONS, "instructions")                 \
  COUNT(USER, "user") COUNT(AMO, "amo") COUNT(LR, "lr") COUNT(SC, "sc")               \
  COUNT(SC_FAILED, "sc-failed") COUNT(FENCE, "fence") COUNT(PAUSE, "pause")           \
  COUNT(FENCE_I, "fence.i") COUNT(SFENCE, "sfence.vma") COUNT(SATP, "satp")           \
  COUNT(WFI, "wfi")
enum count {
#define COUNT(name, word) name,
  COUNTS(COUNT)
#undef COUNT
  COUNT_END
};
static const char *const words[] = {
#define COUNT(name, word) word,
    COUNTS(COUNT)
#undef COUNT
};

// Written by its own hart's thread, read when the window closes.
static struct hart {
  uint64_t counts[COUNT_END];
  uint64_t sc_pc;    // of the last store-conditional
  int since_sc;      // instructions since then
} __attribute__((aligned(128))) harts[MOST_HARTS];

struct place {
  uint64_t pc;
  uint32_t moves;
};

// What is known of a line that two harts have touched.
struct sharing {
  uint32_t reads[MOST_HARTS], writes[MOST_HARTS];
  struct place places[MOST_PLACES];  // where it was moved, the first ones
};

struct line {
  uint64_t physical;    // of its first byte; 0: a free slot
  uint64_t address;     // virtual, of the first access; the kernel's rather than a user's
  uint64_t pc;          // of the last write, else of the first access
  uint32_t has;         // harts whose cache would have it
  uint32_t reads, writes, moves;
  bool user;            // touched through a user's address
  uint8_t first;        // hart
  struct sharing *sharing;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;  // all below
static struct line *lines;   // hashed by physical address, open addressing
static size_t slots, used;
static uint64_t inside;      // workers that have begun and not ended
static volatile bool is_open;
static unsigned running;     // hart of the last instruction; not locked: for -icount
static uint64_t changes;     // of that
static int hart_count, workers, interface;
static bool want_lines;
static FILE *out;

// ---- lines -------------------------------------------------------------------

static struct line *slot_of(uint64_t physical) {
  size_t i = (physical / LINE * 0x9e3779b97f4a7c15u) >> 20;
  while (lines[i % slots].physical != 0 && lines[i % slots].physical != physical) i++;
  return &lines[i % slots];
}

static void resize(size_t count) {
  struct line *old = lines;
  size_t old_slots = slots;
  lines = calloc(count, sizeof(*lines));
  slots = count;
  if (lines == NULL) abort();
  for (size_t i = 0; i < old_slots; i++)
    if (old[i].physical != 0) *slot_of(old[i].physical) = old[i];
  free(old);
}

static void forget_lines(void) {
  for (size_t i = 0; i < slots; i++) free(lines[i].sharing);
  memset(lines, 0, slots * sizeof(*lines));
  used = 0;
}

static void note_place(struct sharing *s, uint64_t pc) {
  for (struct place *p = s->places; p < s->places + MOST_PLACES; p++) {
    if (p->pc != 0 && p->pc != pc) continue;
    p->pc = pc;
    p->moves++;
    return;
  }
}

static void begin_sharing(struct line *l) {
  l->sharing = calloc(1, sizeof(*l->sharing));
  if (l->sharing == NULL) abort();
  l->sharing->reads[l->first] = l->reads;
  l->sharing->writes[l->first] = l->writes;
  note_place(l->sharing, l->pc);
}

static void touch(struct line *l, unsigned hart, bool write, uint64_t pc) {
  uint32_t me = 1u << hart;
  if (l->has == 0) {
    l->first = hart;
    l->pc = pc;
    l->has = me;
  } else if (hart != l->first && l->sharing == NULL) {
    begin_sharing(l);
  }
  if (write ? l->has != me : !(l->has & me)) {
    l->moves++;
    note_place(l->sharing, pc);
  }
  l->has = write ? me : l->has | me;
  if (write) l->pc = pc;
  (write ? l->writes++ : l->reads++);
  if (l->sharing) (write ? l->sharing->writes : l->sharing->reads)[hart]++;
}

static void on_access(unsigned hart, uint32_t what, uint64_t address, void *data) {
  if (!is_open || hart >= MOST_HARTS) return;
  struct qemu_plugin_hwaddr *where = qemu_plugin_get_hwaddr(what, address);
  if (where == NULL || qemu_plugin_hwaddr_is_io(where)) return;
  uint64_t physical = qemu_plugin_hwaddr_phys_addr(where) / LINE * LINE;
  pthread_mutex_lock(&lock);
  struct line *l = slot_of(physical);
  if (l->physical == 0) {
    if (++used > slots / 2) {
      resize(2 * slots);
      l = slot_of(physical);
    }
    l->physical = physical;
    l->address = address / LINE * LINE;
  }
  if (!KERNEL(address)) l->user = true;
  if (KERNEL(address) && !KERNEL(l->address)) l->address = address / LINE * LINE;
  touch(l, hart, qemu_plugin_mem_is_store(what), (uintptr_t)data);
  pthread_mutex_unlock(&lock);
}

static bool conflicts(const struct line *l) { return l->sharing != NULL && l->writes > 0; }

// ---- the window --------------------------------------------------------------

static void report_line(const struct line *l) {
  const struct sharing *s = l->sharing;
  fprintf(out, "line %" PRIx64 " %" PRIx64 " %u %d", l->physical, l->address, l->moves, l->user);
  for (int h = 0; h < hart_count; h++)
    if (s->reads[h] + s->writes[h] > 0) fprintf(out, " %d:%u:%u", h, s->reads[h], s->writes[h]);
  fprintf(out, " at");
  for (int i = 0; i < MOST_PLACES && s->places[i].pc != 0; i++)
    fprintf(out, " %" PRIx64 ":%u", s->places[i].pc, s->places[i].moves);
  fprintf(out, "\n");
}

static void report(void) {
  fprintf(out, "window %" PRIu64 "\n", changes);
  for (int h = 0; h < hart_count; h++) {
    fprintf(out, "hart %d", h);
    for (int c = 0; c < COUNT_END; c++) fprintf(out, " %s %" PRIu64, words[c], harts[h].counts[c]);
    fprintf(out, "\n");
  }
  for (size_t i = 0; i < slots; i++)
    if (lines[i].physical != 0 && conflicts(&lines[i])) report_line(&lines[i]);
  fflush(out);
}

static void on_begin(unsigned hart, void *data) {
  (void)hart;
  pthread_mutex_lock(&lock);
  inside |= 1ull << (uintptr_t)data;
  if (!is_open && __builtin_popcountll(inside) == workers) {
    memset(harts, 0, sizeof(harts));
    changes = 0;
    if (want_lines) forget_lines();
    is_open = true;
  }
  pthread_mutex_unlock(&lock);
}

static void on_end(unsigned hart, void *data) {
  (void)hart;
  pthread_mutex_lock(&lock);
  inside &= ~(1ull << (uintptr_t)data);
  if (is_open) {
    is_open = false;
    report();
  }
  pthread_mutex_unlock(&lock);
}

static void on_operation(unsigned hart, void *data) {
  (void)data;
  if (is_open && hart < MOST_HARTS) harts[hart].counts[OPERATIONS]++;
}

// ---- instructions ------------------------------------------------------------

// data: the kind of instruction, COUNT_END for those that are only counted.
static void on_kernel_instruction(unsigned hart, void *data) {
  if (!is_open || hart >= MOST_HARTS) return;
  struct hart *h = &harts[hart];
  enum count kind = (uintptr_t)data;
  if (hart != running) changes++;
  running = hart;
  h->counts[INSTRUCTIONS]++;
  h->since_sc++;
  if (kind < COUNT_END) h->counts[kind]++;
}

static void on_user_instruction(unsigned hart, void *data) {
  on_kernel_instruction(hart, data);
  if (is_open && hart < MOST_HARTS) harts[hart].counts[USER]++;
}

// lr and sc; data: the instruction's address, and in bit 0 whether it is sc.  An lr that
// follows an sc behind it at once, but for the branch between, is there since that failed.
static void on_reservation(unsigned hart, void *data) {
  if (!is_open || hart >= MOST_HARTS) return;
  struct hart *h = &harts[hart];
  uint64_t pc = (uintptr_t)data & ~1ull;
  if ((uintptr_t)data & 1) {
    h->sc_pc = pc;
    h->since_sc = 0;
  } else if (h->since_sc <= 2 && pc < h->sc_pc && h->sc_pc - pc <= 16) {
    h->counts[SC_FAILED]++;
  }
}

static uint32_t word_of(const struct qemu_plugin_insn *insn) {
  uint32_t word = 0;
  uintptr_t answer = qemu_plugin_insn_data(insn, &word, sizeof(word));
  if (interface < 3) memcpy(&word, (const void *)answer, qemu_plugin_insn_size(insn));
  return word;
}

// RISC-V unprivileged specification, chapter of opcode listings.
static enum count kind_of(uint32_t word) {
  uint32_t opcode = word & 0x7f, function = word >> 12 & 7;
  uint32_t rs1 = word >> 15 & 31, high = word >> 20;
  if (opcode == 0x2f) return high >> 7 == 2 ? LR : high >> 7 == 3 ? SC : AMO;
  if (word == 0x0100000f) return PAUSE;
  if (opcode == 0x0f) return function == 1 ? FENCE_I : FENCE;
  if (opcode != 0x73) return COUNT_END;
  if (word == 0x10500073) return WFI;
  if (function == 0) return high >> 5 == 9 ? SFENCE : COUNT_END;
  bool writes = (function & 3) == 1 || rs1 != 0;
  return high == 0x180 && writes ? SATP : COUNT_END;
}

// Registers what a marker does; false if it is none.
static bool is_marker(struct qemu_plugin_insn *insn, uint32_t word) {
  uint32_t number = word >> 20;
  if ((word & 0xfffff) != 0x2013 || number < 0x100 || number > 0x300) return false;
  executed_fn *fn = number < 0x200 ? on_begin : number < 0x300 ? on_end : on_operation;
  void *worker = (void *)(uintptr_t)(number & 63);
  qemu_plugin_register_vcpu_insn_exec_cb(insn, fn, NO_REGISTERS, worker);
  return true;
}

static void on_translated(uint64_t id, struct qemu_plugin_tb *block) {
  (void)id;
  for (size_t i = 0; i < qemu_plugin_tb_n_insns(block); i++) {
    struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(block, i);
    uint32_t word = word_of(insn);
    if (is_marker(insn, word)) continue;
    uintptr_t kind = kind_of(word), pc = qemu_plugin_insn_vaddr(insn);
    executed_fn *fn = KERNEL(pc) ? on_kernel_instruction : on_user_instruction;
    qemu_plugin_register_vcpu_insn_exec_cb(insn, fn, NO_REGISTERS, (void *)kind);
    if (kind == LR || kind == SC)
      qemu_plugin_register_vcpu_insn_exec_cb(insn, on_reservation, NO_REGISTERS,
                                             (void *)(pc | (kind == SC)));
    if (want_lines)
      qemu_plugin_register_vcpu_mem_cb(insn, on_access, NO_REGISTERS, READS_AND_WRITES,
                                       (void *)pc);
  }
}

EXPORT int qemu_plugin_install(uint64_t id, const struct emulator *qemu, int argc, char **argv) {
  if (!qemu->whole_system || qemu->system.harts > MOST_HARTS) return -1;
  interface = qemu->api.now;
  workers = hart_count = qemu->system.harts;
  for (int i = 0; i < argc; i++) {
    if (strncmp(argv[i], "out=", 4) == 0) out = fopen(argv[i] + 4, "w");
    if (strncmp(argv[i], "workers=", 8) == 0) workers = atoi(argv[i] + 8);
    if (strcmp(argv[i], "lines=on") == 0) want_lines = true;
  }
  if (out == NULL || workers < 1 || workers > 64) return -1;
  if (want_lines) resize(1 << 16);
  qemu_plugin_register_vcpu_tb_trans_cb(id, on_translated);
  return 0;
}
