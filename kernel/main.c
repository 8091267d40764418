// Boot: what comes up in which order.
//
// boot_main runs on the boot hart alone, on a page table made at link time, and
// starts the others when there is something for them to run.
#include "arch/csr.h"
#include "arch/devtree.h"
#include "arch/hart.h"
#include "arch/machine.h"
#include "arch/memlayout.h"
#include "arch/options.h"
#include "arch/power.h"
#include "arch/pte.h"
#include "arch/timer.h"
#include "arch/trapframe.h"
#include "debug/explore.h"
#include "debug/stall.h"
#include "debug/stats.h"
#include "dev/console.h"
#include "dev/disk.h"
#include "dev/plic.h"
#include "dev/stats.h"
#include "dev/uart.h"
#include "kernel/atomic.h"
#include "lib/assert.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/frames.h"
#include "mm/kvm.h"
#include "proc/clock.h"
#include "proc/futex.h"
#include "proc/sched.h"
#include "proc/table.h"
#include "sync/spinlock.h"
#include "sys/first.h"
#include "sys/trap.h"

extern char kernel_end[];

struct hart harts[NCPU];
hartset online_harts;

void boot_main(uint64 tree_pa);
void hart_main(void);

static void init_hart(uint32 id) {
  harts[id].id = id;
  harts[id].lock_tag = spinlock_tag(id);
  harts[id].stats = &hart_stats[id];
}

static void give_up(const char *missing) __attribute__((noreturn));
static void give_up(const char *missing) {
  printf("this machine cannot run the kernel: %s\n", missing);
  power_off(1);
}

// What there is and will not be used, and what the kernel was asked for and does not know.
static void describe(void) {
  uint32 used = 0;
  for (hartset t = machine.harts; t != 0; t &= t - 1) used++;
  if (used < machine.harts_listed)
    printf("%u harts: %u are used, %u parked\n", machine.harts_listed, used,
           machine.harts_listed - used);
  if (machine.ram_unused != 0) printf("%lu MiB of RAM are not used\n", machine.ram_unused >> 20);
  options_check();
}

static void init_memory(void) {
  const struct pa_range taken[] = {
      {machine.tree_start, machine.tree_end},
      {machine.initrd_start, machine.initrd_end},
  };
  frames_init(machine.ram_start, machine.ram_end, va_to_pa(kernel_end), taken, ARRAY_LEN(taken));
}

// The root disk: option root=ram takes the initial RAM disk, otherwise virtio.
static void init_disk(void) {
  char root[8] = "";
  boot_option("root", root, sizeof(root));
  int err = strcmp(root, "ram") == 0
                ? disk_init_ram(pa_to_va(machine.initrd_start),
                                machine.initrd_end - machine.initrd_start)
                : disk_init();
  if (err) panic("no root disk (error %d): give QEMU one, see `make -n qemu`", -err);
}

// Harts get their idle process here, so that they find all they need.
static void start_other_harts(void) {
  for (uint32 id = 1; id < NCPU; id++) {
    if (!(machine.harts & hart_bit(id))) continue;
    init_hart(id);
    struct proc *idle = idle_proc_create(id);
    harts[id].proc = idle;
    machine_start_hart(id, satp_for(kernel_root), idle->kstack_top, (uint64)&harts[id]);
  }
}

void boot_main(uint64 tree_pa) {
  init_hart(0);
  trap_init_hart();
  const char *missing = devtree_read(tree_pa);
  uart_init();
  printf("xv6 kernel is booting\n");
  if (missing != NULL) give_up(missing);
  describe();
  machine_interrupts_on();
  stall_init();
  explore_init();
  init_memory();  // frames
  kvm_init();     // the kernel's own page table
  sched_init();
  clock_init();
  futex_init();
  timer_init();
  plic_init();
  plic_init_hart();
  console_init();
  stats_init();
  init_disk();
  struct proc *idle = idle_proc_create(0);
  harts[0].proc = idle;
  atomic_or_full(&online_harts, hart_bit(0));
  proc_start_init(first_program);
  start_other_harts();
  stack_switch(idle->kstack_top, sched_idle);
}

void hart_main(void) {
  trap_init_hart();
  plic_init_hart();
  // A flush of the kernel's half that does not see this hart online wrote its entries
  // before, so they are found after this fence (mm/tlb.c).
  atomic_or_full(&online_harts, hart_bit(this_hart()->id));
  sfence_all();
  printf("hart %u starting\n", this_hart()->id);
  sched_idle();
}
