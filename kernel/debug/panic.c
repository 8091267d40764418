// Panic: say all that is known, and stop the machine.
//
// First the other harts are stopped, through machine mode, which works even where they
// spin with interrupts off; each leaves its pc and frame pointer behind.  Then nothing
// changes any more, and no other hart prints.  Boot option panic=halt keeps QEMU for a
// debugger instead of leaving it.
#include "debug/panic.h"

#include <stdarg.h>

#include "arch/csr.h"
#include "arch/devtree.h"
#include "arch/hart.h"
#include "arch/machine.h"
#include "arch/mmio.h"
#include "arch/power.h"
#include "arch/trapframe.h"
#include "debug/backtrace.h"
#include "debug/stall.h"
#include "dev/uart.h"
#include "kernel/atomic.h"
#include "lib/assert.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "proc/proc.h"
#include "sync/lockdebug.h"

#define PANIC_STATUS   1
#define ANSWER_ROUNDS  10000000  // how long to wait for a hart that does not answer
#define ROUNDS_A_LOOK  1024

static bool show_processes;

void panic_show_processes(void) { show_processes = true; }

// Another hart that was let into supervisor mode, though it may not be there yet.  One
// that is let in later stops at its first instruction: machine_stop is set.
static bool is_other(uint32 id) {
  return id != this_hart()->id && (id == 0 || atomic_load(&machine_harts[id].go));
}

static void await_stop(const struct machine_hart *m) {
  for (int n = 1; n < ANSWER_ROUNDS && !atomic_load_acquire(&m->stopped); n++) {
    if (n % ROUNDS_A_LOOK == 0) let_others_run(time_now());
    cpu_relax();
  }
}

// machine_stop is set, and seen by all whose bell rings afterwards.
static void stop_others(void) {
  atomic_fence();
  for (uint32 i = 0; i < NCPU; i++)
    if (is_other(i)) mmio_write(machine_harts[i].msip, 1);
  for (uint32 i = 0; i < NCPU; i++)
    if (is_other(i)) await_stop(&machine_harts[i]);
}

// Only the first hart goes on; a panic inside a panic ends at once.
static void enter(void) {
  intr_off();
  uint32 me = this_hart()->id + 1;
  uint32 owner = 0;
  if (atomic_cas_acquire(&machine_stop, &owner, me)) {
    stop_others();
    uart_take_over();
    return;
  }
  if (owner == me) power_off(PANIC_STATUS);
  for (;;) wait_for_interrupt();  // the first one's bell stops this hart
}

static void print_here(const char *what) {
  struct proc *p = myproc();
  printf("%s on hart %u, process %d (%s)\n", what, this_hart()->id, p ? p->pid : 0,
         p ? p->name : "none yet");
}

#ifdef DEBUG
static void print_locks(uint32 hart) {
  lockdebug_print(&harts[hart].held);
  if (harts[hart].proc != NULL) lockdebug_print(&harts[hart].proc->held);
}
#else
static void print_locks(uint32 hart) { (void)hart; }
#endif

// Where another hart was.  A program's registers are its own affair.
static void print_hart(uint32 id) {
  const struct machine_hart *m = &machine_harts[id];
  bool stopped = atomic_load_acquire(&m->stopped);
  const struct proc *p = harts[id].proc;
  printf("hart %u: process %d (%s)%s\n", id, p ? p->pid : 0, p ? p->name : "none yet",
         stopped ? "" : ", does not answer");
  if (stopped && m->pc >= DIRECT_MAP)
    backtrace_interrupted(m->pc, m->ra, m->fp);
  else if (stopped)
    printf("  in user mode at 0x%lx\n", m->pc);
  print_locks(id);
}

static void finish(void) __attribute__((noreturn));
static void finish(void) {
  print_locks(this_hart()->id);
  for (uint32 i = 0; i < NCPU; i++)
    if (is_other(i)) print_hart(i);
  if (show_processes) proc_report();
  char how[8] = "";
  boot_option("panic", how, sizeof(how));
  printf("panic: end of report\n");
  if (strcmp(how, "halt") != 0) power_off(PANIC_STATUS);
  for (;;) wait_for_interrupt();
}

void panic_at(const char *file, int line, const char *format, ...) {
  enter();
  char message[160];
  va_list args;
  va_start(args, format);
  vsnprintf(message, sizeof(message), format, args);
  va_end(args);
  printf("panic: %s\n", message);
  char place[80];
  snprintf(place, sizeof(place), "at %s:%d", file, line);
  print_here(place);
  backtrace((uint64)__builtin_return_address(0) - 4, ((uint64 *)__builtin_frame_address(0))[-2]);
  finish();
}

static void print_registers(const struct trapframe *tf) {
  static const char *const names[] = {"ra", "sp", "gp",  "tp",  "t0", "t1", "t2", "s0",
                                      "s1", "a0", "a1",  "a2",  "a3", "a4", "a5", "a6",
                                      "a7", "s2", "s3",  "s4",  "s5", "s6", "s7", "s8",
                                      "s9", "s10", "s11", "t3", "t4", "t5", "t6", "pc"};
  const uint64 *value = &tf->ra;
  for (uint32 i = 0; i < ARRAY_LEN(names); i += 4)
    printf("  %3s %016lx  %3s %016lx  %3s %016lx  %3s %016lx\n", names[i], value[i],
           names[i + 1], value[i + 1], names[i + 2], value[i + 2], names[i + 3], value[i + 3]);
}

void panic_trap(struct trapframe *tf, const char *name, uint64 cause, uint64 stval) {
  enter();
  printf("panic: %s in the kernel: scause %ld sepc 0x%lx stval 0x%lx\n", name, cause, tf->sepc,
         stval);
  print_here("trap");
  print_registers(tf);
  backtrace_interrupted(tf->sepc, tf->ra, tf->s0);
  finish();
}
