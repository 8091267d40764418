// Leaving QEMU through the virt machine's test finisher.
#pragma once

// Powers off; QEMU exits with `status` (0 to 127).
void power_off(int status) __attribute__((noreturn));
