// Panic: say all that is known, and stop the machine.
//
// The other harts are stopped through machine mode, which works even where they
// spin with interrupts off; each leaves its pc and frame pointer behind.  Boot
// option panic=halt keeps QEMU for a debugger instead of leaving it.
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
#include "dev/uart.h"
#include "kernel/atomic.h"
#include "lib/assert.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "proc/proc.h"
#include "sync/lockdebug.h"

#define PANIC_STATUS   1
#define ANSWER_ROUNDS  10000000  // how long to wait for a hart that does not answer

static uint32 panicking;  // [atomic] 1 + hart that panicked first
static bool show_processes;

void panic_show_processes(void) { show_processes = true; }

// Only the first hart goes on; a panic inside a panic ends at once.
static void enter(void) {
  intr_off();
  uint32 me = this_hart()->id + 1;
  uint32 nobody = 0;
  if (atomic_cas_acquire(&panicking, &nobody, me)) {
    uart_take_over();
    return;
  }
  if (nobody == me) power_off(PANIC_STATUS);
  for (;;) wait_for_interrupt();  // machine mode will stop us
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

static void stop_others(void) {
  uint32 me = this_hart()->id;
  hartset online = atomic_load(&online_harts);
  atomic_store(&machine_stop, 1);
  for (uint32 i = 0; i < NCPU; i++)
    if (i != me && (online & hart_bit(i))) mmio_write(machine_harts[i].msip, 1);
  for (uint32 i = 0; i < NCPU; i++) {
    if (i == me || !(online & hart_bit(i))) continue;
    struct machine_hart *m = &machine_harts[i];
    for (int n = 0; n < ANSWER_ROUNDS && !atomic_load_acquire(&m->stopped); n++) cpu_relax();
    struct proc *p = harts[i].proc;
    printf("hart %u: process %d (%s)%s\n", i, p ? p->pid : 0, p ? p->name : "none yet",
           m->stopped ? "" : ", does not answer");
    // A program's registers are its own affair.
    if (m->stopped && m->pc >= DIRECT_MAP) backtrace_interrupted(m->pc, m->ra, m->fp);
    else if (m->stopped) printf("  in user mode at 0x%lx\n", m->pc);
    print_locks(i);
  }
}

static void finish(void) __attribute__((noreturn));
static void finish(void) {
  print_locks(this_hart()->id);
  stop_others();
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
