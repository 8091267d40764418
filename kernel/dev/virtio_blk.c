// The virtio block driver: one queue, as many requests in flight as its ring
// holds, completion by interrupt.  See dev/virtio_blk.h.
//
// A request is a chain of descriptors: a header, one for each block, a status
// byte.  Header and status live in `slots`, indexed by the chain's first
// descriptor, since the caller's stack is not in the direct map.
//
// A device that breaks the protocol is reset, so that it touches no memory any
// more; what was in flight and all that follows ends with -EIO.
#include "dev/virtio_blk.h"

#include "arch/devtree.h"
#include "arch/memlayout.h"
#include "arch/mmio.h"
#include "debug/stall.h"
#include "dev/plic.h"
#include "dev/virtio_mmio.h"
#include "kernel/atomic.h"
#include "kernel/fs.h"
#include "lib/assert.h"
#include "lib/errno.h"
#include "lib/printf.h"

#define RING_MAX      128
#define SECTOR        512
#define FIXED_DESCS   2     // header and status
#define INT_CONFIG    2     // bit of VIRTIO_INTERRUPT_STATUS
#define RESET_TRIES   1000

struct slot {
  struct disk_request *request;      // [lock] NULL: no chain begins here
  struct virtio_blk_header header;   // the device reads it
  uint8 status;                      // the device writes it
};

static struct {
  struct spinlock lock;       // DISK
  uint64 regs;                // [const] physical
  bool legacy;                // [const]
  bool broken;                // [lock]
  uint16 size;                // [const] descriptors in the ring
  uint16 free_head;           // [lock] free descriptors, chained through next
  uint16 free_count;          // [lock]
  uint16 used_seen;           // [lock]
  struct virtq_desc *desc;    // [const] entries: [lock]
  struct virtq_avail *avail;  // [const] contents: [lock]
  struct virtq_used *used;    // [const] the device's
  uint32 next_ticket;         // [lock] of the next to submit a request
  uint32 serving;             // [lock] the ticket whose turn it is
  struct waitq space;         // [lock] submitters that wait for it, and for descriptors
  struct slot slots[RING_MAX];
} blk = {.lock = SPINLOCK(DISK), .space = WAITQ(blk.space)};

// The legacy layout (2.6.2) serves the modern one as well: descriptors and the
// available ring in the first page, the used ring in the second.
static uint8 ring_memory[2 * PGSIZE] ALIGNED(PGSIZE);
_Static_assert(RING_MAX * sizeof(struct virtq_desc) + (RING_MAX + 3) * sizeof(uint16) <= PGSIZE,
               "descriptors and available ring fill one page");

static uint32 reg_read(uint32 reg) { return mmio_read(blk.regs + reg); }
static void reg_write(uint32 reg, uint32 value) { mmio_write(blk.regs + reg, value); }

static void reg_write64(uint32 reg, uint64 value) {
  reg_write(reg, (uint32)value);
  reg_write(reg + 4, value >> 32);
}

static void reset(void) {
  reg_write(VIRTIO_STATUS, 0);
  for (int i = 0; i < RESET_TRIES && reg_read(VIRTIO_STATUS) != 0; i++) continue;
}

// --- requests ---------------------------------------------------------------

// Takes a free descriptor, fills it and returns its number.
static uint16 desc_take(const void *at, uint32 len, uint16 flags) {
  uint16 i = blk.free_head;
  struct virtq_desc *d = &blk.desc[i];
  blk.free_head = d->next;
  blk.free_count--;
  d->addr = va_to_pa(at);
  d->len = len;
  d->flags = flags;
  return i;
}

static void chain_free(uint16 head) {
  uint16 i = head;
  uint16 n = 1;
  for (; blk.desc[i].flags & DESC_NEXT; i = blk.desc[i].next) n++;
  blk.desc[i].next = blk.free_head;
  blk.free_head = head;
  blk.free_count += n;
}

// Builds the chain of a request and returns its head.
static uint16 chain_make(struct disk_request *request) {
  static const uint32 types[] = {
      [DISK_READ] = BLK_T_IN, [DISK_WRITE] = BLK_T_OUT, [DISK_FLUSH] = BLK_T_FLUSH};
  uint16 head = blk.free_head;
  struct slot *slot = &blk.slots[head];
  slot->request = request;
  slot->header.type = types[request->op];
  slot->header.reserved = 0;
  slot->header.sector = (uint64)request->block * (BSIZE / SECTOR);
  slot->status = ~BLK_S_OK;
  uint16 last = desc_take(&slot->header, sizeof slot->header, DESC_NEXT);
  uint16 direction = request->op == DISK_READ ? DESC_WRITE : 0;
  for (uint32 i = 0; i < request->count; i++) {
    DEBUG_ASSERT((uint64)request->data[i] - DIRECT_MAP < KSTACKS - DIRECT_MAP);
    uint16 next = desc_take(request->data[i], BSIZE, direction | DESC_NEXT);
    blk.desc[last].next = next;
    last = next;
  }
  blk.desc[last].next = desc_take(&slot->status, sizeof slot->status, DESC_WRITE);
  return head;
}

// Waits for descriptors, in order of arrival: one who needs many is not passed for ever by
// those who need few.  The lock is held.
static void wait_for_descriptors(uint16 need) {
  uint32 ticket = blk.next_ticket++;
  while (!blk.broken && (blk.serving != ticket || blk.free_count < need))
    sleep(&blk.space, &blk.lock);
  blk.serving++;
  if (blk.serving != blk.next_ticket) wakeup(&blk.space);
}

static void blk_submit(struct disk_request *request) {
  acquire(&blk.lock);
  wait_for_descriptors(request->count + FIXED_DESCS);
  if (blk.broken) {
    request->status = -EIO;
    release(&blk.lock);
    return;
  }
  uint16 head = chain_make(request);
  uint16 idx = blk.avail->idx;
  blk.avail->ring[idx % blk.size] = head;
  // The device must see the chain and the ring entry before the new index, and
  // the index before the doorbell (2.6.13; mmio_write has the second fence).
  atomic_store_release(&blk.avail->idx, (uint16)(idx + 1));
  reg_write(VIRTIO_QUEUE_NOTIFY, 0);
  release(&blk.lock);
}

static int blk_wait(struct disk_request *request) {
  acquire(&blk.lock);
  stall_outside_begin();
  while (request->status == DISK_PENDING) sleep(&request->done, &blk.lock);
  stall_outside_end();
  release(&blk.lock);
  return request->status;
}

// --- completion -------------------------------------------------------------

// Ends the request whose chain begins at `head`.  After the lock is released
// the request may be gone.
static void finish(uint16 head, int status) {
  struct disk_request *request = blk.slots[head].request;
  blk.slots[head].request = NULL;
  chain_free(head);
  request->status = status;
  wakeup(&request->done);
}

// The device can be trusted no more: stops it and ends everything.
static void give_up(const char *why) {
  printf("virtio disk: %s; the disk is given up\n", why);
  blk.broken = true;
  reset();
  for (uint16 i = 0; i < blk.size; i++)
    if (blk.slots[i].request != NULL) finish(i, -EIO);
}

// Takes what the device has used.
static void reap(void) {
  while (!blk.broken) {
    // Acquire: the used entry and the data are read after the index (2.6.14).
    uint16 ready = atomic_load_acquire(&blk.used->idx) - blk.used_seen;
    if (ready == 0) return;
    uint32 id = atomic_load(&blk.used->ring[blk.used_seen % blk.size].id);
    if (ready > blk.size || id >= blk.size || blk.slots[id].request == NULL) {
      give_up("it returned a request that it was never given");
      return;
    }
    blk.used_seen++;
    finish(id, atomic_load(&blk.slots[id].status) == BLK_S_OK ? 0 : -EIO);
  }
}

static void blk_interrupt(void) {
  acquire(&blk.lock);
  uint32 reasons = reg_read(VIRTIO_INTERRUPT_STATUS);
  reg_write(VIRTIO_INTERRUPT_ACK, reasons);
  mmio_written();  // what the device uses after our look at the ring interrupts again
  reap();
  if ((reasons & INT_CONFIG) && !blk.broken && (reg_read(VIRTIO_STATUS) & STATUS_NEEDS_RESET))
    give_up("it asks to be reset");
  wakeup(&blk.space);
  release(&blk.lock);
}

// --- start ------------------------------------------------------------------

static uint64 features_offered(void) {
  reg_write(VIRTIO_DEVICE_FEATURES_SEL, 0);
  uint64 low = reg_read(VIRTIO_DEVICE_FEATURES);
  if (blk.legacy) return low;
  reg_write(VIRTIO_DEVICE_FEATURES_SEL, 1);
  return (uint64)reg_read(VIRTIO_DEVICE_FEATURES) << 32 | low;
}

// Settles the features (3.1.1, steps 4 to 6).  Returns those in force, 0 for none.
static uint64 features_settle(void) {
  uint64 wanted = FEATURE_SEG_MAX | FEATURE_RO | FEATURE_BLK_SIZE | FEATURE_FLUSH;
  uint64 features = features_offered() & (wanted | FEATURE_VERSION_1);
  reg_write(VIRTIO_DRIVER_FEATURES_SEL, 0);
  reg_write(VIRTIO_DRIVER_FEATURES, (uint32)features);
  if (blk.legacy) return features;
  reg_write(VIRTIO_DRIVER_FEATURES_SEL, 1);
  reg_write(VIRTIO_DRIVER_FEATURES, features >> 32);
  reg_write(VIRTIO_STATUS, STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK);
  bool accepted = reg_read(VIRTIO_STATUS) & STATUS_FEATURES_OK;
  return accepted && (features & FEATURE_VERSION_1) ? features : 0;
}

// Lays out queue 0 and tells the device (4.2.3.2, legacy 4.2.4).
static int queue_init(void) {
  reg_write(VIRTIO_QUEUE_SEL, 0);
  uint32 max = reg_read(VIRTIO_QUEUE_NUM_MAX);
  blk.size = RING_MAX;
  while (blk.size > max) blk.size /= 2;
  if (blk.size < FIXED_DESCS + 1) return -EINVAL;
  reg_write(VIRTIO_QUEUE_NUM, blk.size);

  blk.desc = (struct virtq_desc *)ring_memory;
  blk.avail = (struct virtq_avail *)(blk.desc + blk.size);
  blk.used = (struct virtq_used *)(ring_memory + PGSIZE);
  blk.free_head = 0;
  blk.free_count = blk.size;
  for (uint16 i = 0; i < blk.size; i++) blk.desc[i].next = i + 1;

  if (blk.legacy) {
    reg_write(VIRTIO_GUEST_PAGE_SIZE, PGSIZE);
    reg_write(VIRTIO_QUEUE_ALIGN, PGSIZE);
    reg_write(VIRTIO_QUEUE_PFN, va_to_pa(ring_memory) >> PGSHIFT);
  } else {
    reg_write64(VIRTIO_QUEUE_DESC, va_to_pa(blk.desc));
    reg_write64(VIRTIO_QUEUE_DRIVER, va_to_pa(blk.avail));
    reg_write64(VIRTIO_QUEUE_DEVICE, va_to_pa(blk.used));
    reg_write(VIRTIO_QUEUE_READY, 1);
  }
  return 0;
}

// Describes the disk for those above; 0 or -EINVAL.
static int describe(struct disk *out, uint64 features) {
  uint32 config = VIRTIO_CONFIG;
  uint64 sectors = reg_read(config + BLK_CAPACITY) |
                   (uint64)reg_read(config + BLK_CAPACITY + 4) << 32;
  if ((features & FEATURE_BLK_SIZE) && reg_read(config + BLK_BLK_SIZE) > BSIZE) return -EINVAL;
  uint32 run_max = MIN(DISK_RUN_MAX, blk.size - FIXED_DESCS);  // segments are blocks
  uint32 seg_max = features & FEATURE_SEG_MAX ? reg_read(config + BLK_SEG_MAX) : run_max;
  if (seg_max == 0) return -EINVAL;
  *out = (struct disk){
      .blocks = MIN(sectors / (BSIZE / SECTOR), 0xffffffffUL),
      .run_max = MIN(run_max, seg_max),
      .read_only = features & FEATURE_RO,
      .caches = features & FEATURE_FLUSH,
      .submit = blk_submit,
      .wait = blk_wait,
  };
  return 0;
}

// Brings the device at blk.regs to life (3.1.1).  Returns 0 or -EINVAL.
static int start(struct disk *out) {
  reset();
  reg_write(VIRTIO_STATUS, STATUS_ACKNOWLEDGE | STATUS_DRIVER);
  uint64 features = features_settle();
  if (!blk.legacy && features == 0) return -EINVAL;
  int err = queue_init();
  if (err == 0) err = describe(out, features);
  return err;
}

int virtio_blk_init(struct disk *out) {
  for (uint32 slot = 0; slot < machine.disk_count; slot++) {
    blk.regs = machine.disks[slot].base;
    uint32 version = reg_read(VIRTIO_VERSION);
    if (reg_read(VIRTIO_MAGIC) != VIRTIO_MAGIC_VALUE) continue;
    if (version != VIRTIO_VERSION_LEGACY && version != VIRTIO_VERSION_MODERN) continue;
    if (reg_read(VIRTIO_DEVICE_ID) != VIRTIO_ID_BLOCK) continue;
    blk.legacy = version == VIRTIO_VERSION_LEGACY;
    int err = start(out);
    if (err != 0) {
      reg_write(VIRTIO_STATUS, STATUS_FAILED);
      printf("virtio disk: its features, queue or block size cannot be used\n");
      return err;
    }
    if (!plic_register(&machine.disks[slot], blk_interrupt)) {
      printf("virtio disk: no hart can take its interrupts\n");
      return -ENODEV;
    }
    uint32 ready = STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_DRIVER_OK;
    reg_write(VIRTIO_STATUS, blk.legacy ? ready : ready | STATUS_FEATURES_OK);
    return 0;
  }
  return -ENODEV;
}
