// The root disk: blocks of BSIZE bytes, read and written by request.
//
// A caller fills a request, submits it, may submit more, and waits for each.
// The disk is a virtio device or a range of RAM; nobody above can tell.
//
//   D1  A request and its buffers belong to the driver from disk_submit to the
//       return of disk_wait.  Every submitted request must be waited for.
//   D2  A kill does not end a wait for the disk, so D1 holds for a dying process.
#pragma once

#include "lib/types.h"
#include "sync/waitq.h"

enum disk_op { DISK_READ, DISK_WRITE, DISK_FLUSH };

// The most blocks that one request may span.
#define DISK_RUN_MAX  32

struct disk_request {
  enum disk_op op;
  uint32 block;       // the first
  uint32 count;       // 1 to disk_run_max(); 0 for DISK_FLUSH
  void *const *data;  // `count` buffers of BSIZE bytes in the direct map
  // The driver's:
  int status;         // [DISK] result, or DISK_PENDING
  struct waitq done;  // [DISK]
};

#define DISK_PENDING  1

// What a driver offers (one of them is the root disk).
struct disk {
  uint32 blocks;    // of BSIZE bytes
  uint32 run_max;   // blocks a request may span
  bool read_only;
  bool caches;      // a finished write is durable only after DISK_FLUSH
  void (*submit)(struct disk_request *request);  // may sleep
  int (*wait)(struct disk_request *request);     // may sleep
};

// Finds the virtio block device and makes it the root disk.  Returns 0, -ENODEV
// when there is none, -EINVAL when it cannot be driven (a message says why).
int disk_init(void);

// Makes `bytes` bytes of RAM at `start` the root disk; its contents are used and
// changed in place.  Returns 0, or -EINVAL when not one block fits.
int disk_init_ram(void *start, uint64 bytes);

uint32 disk_blocks(void);    // size in blocks
uint32 disk_run_max(void);   // blocks that a request may span
bool disk_read_only(void);

// Starts a request.  Waits while the device's ring is full; never fails: what
// goes wrong is what disk_wait returns.  No spinlock held.
void disk_submit(struct disk_request *request);

// Waits for a submitted request.  Returns 0, -EIO, or -EACCES for a write to a
// read-only disk.  May sleep; no spinlock held.
int disk_wait(struct disk_request *request);

// Both in one, for a single block.
int disk_read(uint32 block, void *data);
int disk_write(uint32 block, void *data);

// Makes every finished write durable.  Returns 0 or -EIO.  May sleep.
int disk_flush(void);
