// The root disk: checks each request and hands it to the driver; and the driver
// for a disk in RAM.  Never looks into a block.  No locks of its own.
#include "dev/disk.h"

#include "debug/inject.h"
#include "dev/virtio_blk.h"
#include "kernel/fs.h"
#include "lib/assert.h"
#include "lib/errno.h"
#include "lib/string.h"

static struct disk disk;  // [const after boot]
static uint8 *ram_start;  // [const after boot]

static void ram_submit(struct disk_request *request) {
  for (uint32 i = 0; i < request->count; i++) {
    uint8 *block = ram_start + (uint64)(request->block + i) * BSIZE;
    if (request->op == DISK_WRITE)
      memmove(block, request->data[i], BSIZE);
    else
      memmove(request->data[i], block, BSIZE);
  }
  request->status = 0;
}

static int ram_wait(struct disk_request *request) { return request->status; }

int disk_init_ram(void *start, uint64 bytes) {
  if (bytes < BSIZE) return -EINVAL;
  ram_start = start;
  disk = (struct disk){
      .blocks = MIN(bytes / BSIZE, 0xffffffffUL),
      .run_max = DISK_RUN_MAX,
      .submit = ram_submit,
      .wait = ram_wait,
  };
  return 0;
}

int disk_init(void) { return virtio_blk_init(&disk); }

uint32 disk_blocks(void) { return disk.blocks; }
uint32 disk_run_max(void) { return disk.run_max; }
bool disk_read_only(void) { return disk.read_only; }

// Why the driver must not see this request, or 0.
static int refuse(const struct disk_request *request) {
  if (inject_here(INJECT_DISK)) return -EIO;
  if (request->op == DISK_WRITE && disk.read_only) return -EACCES;
  // A block number may come from a corrupt disk.
  if (request->count > disk.blocks || request->block > disk.blocks - request->count) return -EIO;
  return 0;
}

void disk_submit(struct disk_request *request) {
  ASSERT(request->count <= disk.run_max);
  ASSERT((request->count == 0) == (request->op == DISK_FLUSH));
  waitq_init(&request->done);
  request->status = refuse(request);
  if (request->status != 0) return;
  request->status = DISK_PENDING;
  disk.submit(request);
}

int disk_wait(struct disk_request *request) { return disk.wait(request); }

static int transfer(enum disk_op op, uint32 block, void *data) {
  struct disk_request request = {.op = op, .block = block, .count = 1, .data = &data};
  disk_submit(&request);
  return disk_wait(&request);
}

int disk_read(uint32 block, void *data) { return transfer(DISK_READ, block, data); }
int disk_write(uint32 block, void *data) { return transfer(DISK_WRITE, block, data); }

int disk_flush(void) {
  if (!disk.caches) return 0;
  struct disk_request request = {.op = DISK_FLUSH};
  disk_submit(&request);
  return disk_wait(&request);
}
