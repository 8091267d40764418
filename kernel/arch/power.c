// The SiFive test finisher.
#include "arch/power.h"

#include "arch/csr.h"
#include "arch/devtree.h"
#include "arch/mmio.h"

#define FINISH_PASS  0x5555
#define FINISH_FAIL  0x3333  // status in the upper half

void power_off(int status) {
  mmio_write(machine.finisher, status == 0 ? FINISH_PASS : (uint32)status << 16 | FINISH_FAIL);
  for (;;) wait_for_interrupt();
}
