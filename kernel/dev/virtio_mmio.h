// Registers and in-memory structures of virtio over MMIO (virtio 1.1).
#pragma once

#include "lib/types.h"

// Register offsets: 4.2.2; those marked legacy: 4.2.4.
enum {
  VIRTIO_MAGIC = 0x000,
  VIRTIO_VERSION = 0x004,
  VIRTIO_DEVICE_ID = 0x008,
  VIRTIO_DEVICE_FEATURES = 0x010,
  VIRTIO_DEVICE_FEATURES_SEL = 0x014,
  VIRTIO_DRIVER_FEATURES = 0x020,
  VIRTIO_DRIVER_FEATURES_SEL = 0x024,
  VIRTIO_GUEST_PAGE_SIZE = 0x028,  // legacy
  VIRTIO_QUEUE_SEL = 0x030,
  VIRTIO_QUEUE_NUM_MAX = 0x034,
  VIRTIO_QUEUE_NUM = 0x038,
  VIRTIO_QUEUE_ALIGN = 0x03c,      // legacy
  VIRTIO_QUEUE_PFN = 0x040,        // legacy
  VIRTIO_QUEUE_READY = 0x044,
  VIRTIO_QUEUE_NOTIFY = 0x050,
  VIRTIO_INTERRUPT_STATUS = 0x060,
  VIRTIO_INTERRUPT_ACK = 0x064,
  VIRTIO_STATUS = 0x070,
  VIRTIO_QUEUE_DESC = 0x080,       // 64 bits, low half first; also the next two
  VIRTIO_QUEUE_DRIVER = 0x090,
  VIRTIO_QUEUE_DEVICE = 0x0a0,
  VIRTIO_CONFIG = 0x100,
};

#define VIRTIO_MAGIC_VALUE     0x74726976  // "virt"
#define VIRTIO_VERSION_LEGACY  1
#define VIRTIO_VERSION_MODERN  2
#define VIRTIO_ID_BLOCK        2

// Device status bits: 2.1.
#define STATUS_ACKNOWLEDGE  1
#define STATUS_DRIVER       2
#define STATUS_DRIVER_OK    4
#define STATUS_FEATURES_OK  8
#define STATUS_NEEDS_RESET  64
#define STATUS_FAILED       128

// Feature bits: 5.2.3 and 6.
#define FEATURE_SEG_MAX    (1UL << 2)
#define FEATURE_RO         (1UL << 5)
#define FEATURE_BLK_SIZE   (1UL << 6)
#define FEATURE_FLUSH      (1UL << 9)
#define FEATURE_VERSION_1  (1UL << 32)

// Offsets in the block device's configuration: 5.2.4.
#define BLK_CAPACITY  0x00  // 64 bits, in sectors of 512 bytes
#define BLK_SEG_MAX   0x0c
#define BLK_BLK_SIZE  0x14

// A descriptor: 2.6.5.
struct virtq_desc {
  uint64 addr;
  uint32 len;
  uint16 flags;
  uint16 next;
};
#define DESC_NEXT   1
#define DESC_WRITE  2  // the device writes

// What the driver offers (2.6.6) and what the device has used (2.6.8).
struct virtq_avail {
  uint16 flags;
  uint16 idx;
  uint16 ring[];
};
struct virtq_used {
  uint16 flags;
  uint16 idx;
  struct {
    uint32 id;
    uint32 len;
  } ring[];
};

// The first part of a block request: 5.2.6.
struct virtio_blk_header {
  uint32 type;
  uint32 reserved;
  uint64 sector;
};
#define BLK_T_IN     0
#define BLK_T_OUT    1
#define BLK_T_FLUSH  4
#define BLK_S_OK     0
