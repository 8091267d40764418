// What the machine is: memory, harts, clock, initial disk, boot options, and where the
// registers of devices are and which hart they interrupt.  The tree's format is fdt.c's.
//
// Read before there is an allocator; nothing of the tree is kept but what struct machine,
// machine_harts and the boot options hold.  Two walks: the devices name harts by the
// phandles of their interrupt controllers, which the first walk learns.
#include "arch/devtree.h"

#include "arch/fdt.h"
#include "arch/machine.h"
#include "arch/memlayout.h"
#include "lib/string.h"

#define MAX_BANKS  8

// Numbers that interrupts-extended gives for a hart's interrupts.
#define HART_SOFTWARE  3
#define HART_TIMER     7
#define HART_EXTERNAL  9    // for supervisor mode
#define HART_EXTERNAL_M  11

#define CLINT_TIMECMP  0x4000

extern char kernel_start[];

// Until the tree says otherwise, for what has to be said if there is none.
struct machine machine = {.uart = {.base = UART0}, .finisher = FINISHER};

// [const after devtree_read]
static struct pa_range banks[MAX_BANKS];
static uint32 bank_count;
static uint32 phandles[NCPU];  // of the harts' interrupt controllers; 0: none
static bool uart_found;

static bool starts_with(const char *s, const char *prefix) {
  return strncmp(s, prefix, strlen(prefix)) == 0;
}

// --- the first walk: memory, harts, chosen --------------------------------------

static void read_memory(const struct fdt *fdt, const struct fdt_node *node) {
  uint64 start, size;
  for (uint32 i = 0; bank_count < MAX_BANKS && fdt_reg(fdt, node, i, &start, &size); i++)
    banks[bank_count++] = (struct pa_range){start, start + size};
}

static uint64 chosen_address(const struct fdt *fdt, const struct fdt_node *node,
                             const char *name) {
  struct fdt_value v;
  if (!fdt_get(fdt, node, name, &v)) return 0;
  return v.length == 8 ? (uint64)fdt_cell(&v, 0) << 32 | fdt_cell(&v, 1) : fdt_cell(&v, 0);
}

static void read_chosen(const struct fdt *fdt, const struct fdt_node *node) {
  struct fdt_value v;
  if (fdt_get(fdt, node, "bootargs", &v) && v.length > 0) options_set(v.data, v.length);
  machine.initrd_start = chosen_address(fdt, node, "linux,initrd-start");
  machine.initrd_end = chosen_address(fdt, node, "linux,initrd-end");
}

// Returns the number of the hart, NCPU for one that is not used.
static uint32 read_hart(const struct fdt *fdt, const struct fdt_node *node) {
  struct fdt_value status;
  machine.harts_listed++;
  uint32 id = fdt_number(fdt, node, "reg", NCPU);
  bool usable = !fdt_get(fdt, node, "status", &status) || fdt_has(fdt, node, "status", "okay");
  if (id >= NCPU || !usable) return NCPU;
  machine.harts |= hart_bit(id);
  return id;
}

static void read_basics(struct fdt fdt) {
  struct fdt_node node;
  bool in_cpus = false;
  uint32 hart = NCPU;
  while (fdt_next(&fdt, &node)) {
    if (node.depth == 1) in_cpus = strcmp(node.name, "cpus") == 0;
    if (node.depth == 1 && in_cpus)
      machine.timebase = fdt_number(&fdt, &node, "timebase-frequency", 0);
    else if (node.depth == 1 && starts_with(node.name, "memory@"))
      read_memory(&fdt, &node);
    else if (node.depth == 1 && strcmp(node.name, "chosen") == 0)
      read_chosen(&fdt, &node);
    else if (in_cpus && node.depth == 2)
      hart = starts_with(node.name, "cpu@") ? read_hart(&fdt, &node) : NCPU;
    else if (in_cpus && node.depth == 3 && hart < NCPU &&
             starts_with(node.name, "interrupt-controller"))
      phandles[hart] = fdt_number(&fdt, &node, "phandle", 0);
  }
}

// --- the second walk: devices ---------------------------------------------------

// Notes registers for the kernel's page table.  Returns where they are, or 0.
static uint64 window(const struct fdt *fdt, const struct fdt_node *node, uint32 i) {
  uint64 start, size;
  if (machine.window_count == MAX_WINDOWS || !fdt_reg(fdt, node, i, &start, &size)) return 0;
  machine.windows[machine.window_count++] = (struct pa_range){start, start + size};
  return start;
}

static struct mmio_device device(const struct fdt *fdt, const struct fdt_node *node) {
  return (struct mmio_device){window(fdt, node, 0), node->interrupt_parent,
                         fdt_number(fdt, node, "interrupts", 0)};
}

static void read_finisher(const struct fdt *fdt, const struct fdt_node *node) {
  machine.finisher = window(fdt, node, 0);
}

// The first one is the console's.
static void read_uart(const struct fdt *fdt, const struct fdt_node *node) {
  if (!uart_found) machine.uart = device(fdt, node);
  uart_found = true;
}

static void read_disk(const struct fdt *fdt, const struct fdt_node *node) {
  if (machine.disk_count == MAX_DISKS) return;
  struct mmio_device new = device(fdt, node);
  uint32 i = machine.disk_count++;
  for (; i > 0 && machine.disks[i - 1].base > new.base; i--)
    machine.disks[i] = machine.disks[i - 1];
  machine.disks[i] = new;
}

// The hart with that interrupt controller, or NCPU.
static uint32 hart_of(uint32 phandle) {
  uint32 id = 0;
  while (id < NCPU && (phandle == 0 || phandles[id] != phandle)) id++;
  return id;
}

// Context i of a PLIC is the one that interrupts-extended lists as its i-th.
static void read_plic(const struct fdt *fdt, const struct fdt_node *node) {
  if (machine.plic_count == MAX_PLICS) return;
  uint32 plic = machine.plic_count++;
  machine.plics[plic] =
      (struct plic){window(fdt, node, 0), fdt_number(fdt, node, "phandle", 0)};
  struct fdt_value v;
  fdt_get(fdt, node, "interrupts-extended", &v);
  for (uint32 i = 0; i < v.length / 8; i++) {
    uint32 id = hart_of(fdt_cell(&v, 2 * i));
    uint32 interrupt = fdt_cell(&v, 2 * i + 1);
    if (id == NCPU) continue;
    struct plic_context *c = &machine.contexts[id];
    if (interrupt == HART_EXTERNAL_M) c->machine_number = i;
    if (interrupt != HART_EXTERNAL) continue;
    c->exists = true;
    c->plic = plic;
    c->number = i;
  }
}

// The registers that raise `interrupt` of the harts: one for each hart that the node lists,
// in that order.
static void read_hart_registers(const struct fdt *fdt, const struct fdt_node *node,
                                uint32 interrupt, uint64 base) {
  struct fdt_value v;
  fdt_get(fdt, node, "interrupts-extended", &v);
  uint32 n = 0;
  for (uint32 i = 0; i < v.length / 8 && base != 0; i++) {
    if (fdt_cell(&v, 2 * i + 1) != interrupt) continue;
    uint32 id = hart_of(fdt_cell(&v, 2 * i));
    if (id < NCPU && interrupt == HART_SOFTWARE) machine_harts[id].msip = base + 4 * n;
    if (id < NCPU && interrupt == HART_TIMER) machine_harts[id].timecmp = base + 8 * n;
    n++;
  }
}

static void read_clint(const struct fdt *fdt, const struct fdt_node *node) {
  uint64 base = window(fdt, node, 0);
  read_hart_registers(fdt, node, HART_SOFTWARE, base);
  read_hart_registers(fdt, node, HART_TIMER, base != 0 ? base + CLINT_TIMECMP : 0);
}

// The two halves of a CLINT by themselves (RISC-V ACLINT specification).
static void read_mswi(const struct fdt *fdt, const struct fdt_node *node) {
  read_hart_registers(fdt, node, HART_SOFTWARE, window(fdt, node, 0));
}

static void read_mtimer(const struct fdt *fdt, const struct fdt_node *node) {
  read_hart_registers(fdt, node, HART_TIMER, window(fdt, node, 1));
}

static const struct {
  const char *compatible;
  void (*read)(const struct fdt *fdt, const struct fdt_node *node);
} drivers[] = {
    {"sifive,test0", read_finisher},   {"ns16550a", read_uart},
    {"virtio,mmio", read_disk},        {"riscv,plic0", read_plic},
    {"riscv,clint0", read_clint},      {"riscv,aclint-mswi", read_mswi},
    {"riscv,aclint-mtimer", read_mtimer},
};

static void read_devices(struct fdt fdt) {
  struct fdt_node node;
  while (fdt_next(&fdt, &node))
    for (uint32 i = 0; i < ARRAY_LEN(drivers); i++)
      if (fdt_has(&fdt, &node, "compatible", drivers[i].compatible))
        drivers[i].read(&fdt, &node);
}

// --- putting it together --------------------------------------------------------

// RAM is the bank that the kernel is in, and those that go on where it ends.
static void choose_ram(void) {
  uint64 kernel = va_to_pa(kernel_start), all = 0;
  for (uint32 i = 0; i < bank_count; i++) {
    all += banks[i].end - banks[i].start;
    if (banks[i].start <= kernel && kernel < banks[i].end) {
      machine.ram_start = banks[i].start;
      machine.ram_end = banks[i].end;
    }
  }
  for (uint32 rounds = 0; rounds < bank_count; rounds++)
    for (uint32 i = 0; i < bank_count; i++)
      if (banks[i].start == machine.ram_end) machine.ram_end = banks[i].end;
  machine.ram_unused = all - (machine.ram_end - machine.ram_start);
}

// A hart that no other can interrupt is not used.
static void choose_harts(void) {
  for (uint32 id = 0; id < NCPU; id++)
    if (machine_harts[id].msip == 0 || machine_harts[id].timecmp == 0)
      machine.harts &= ~hart_bit(id);
}

static const char *what_is_missing(void) {
  if (machine.ram_end <= machine.ram_start) return "no memory where the kernel is";
  if (machine.timebase == 0) return "no timebase-frequency";
  if (!(machine.harts & hart_bit(0))) return "no CLINT or ACLINT for hart 0";
  if (!machine.contexts[0].exists) return "no PLIC for hart 0";
  return NULL;
}

const char *devtree_read(uint64 tree_pa) {
  struct fdt fdt;
  const void *tree = pa_to_va(tree_pa);
  if (!fdt_open(&fdt, tree)) return "no device tree where a1 points";
  machine.tree_start = tree_pa;
  machine.tree_end = tree_pa + fdt_size(tree);
  read_basics(fdt);
  read_devices(fdt);
  choose_ram();
  choose_harts();
  return what_is_missing();
}
