// The virtio block device on the memory-mapped transport (virtio 1.1, sections
// 4.2 and 5.2), in its modern and its legacy register layout.
#pragma once

#include "dev/disk.h"

// Finds the first block device of the machine and fills *out.  Returns 0,
// -ENODEV, or -EINVAL with a message when the device cannot be driven.
int virtio_blk_init(struct disk *out);
