// System calls that report on the system, and poweroff.
#include "arch/power.h"
#include "debug/inject.h"
#include "debug/stats.h"
#include "debug/vmprint.h"
#include "kernel/memstat.h"
#include "kernel/procinfo.h"
#include "lib/errno.h"
#include "lib/printf.h"
#include "mm/frames.h"
#include "mm/kalloc.h"
#include "mm/usercopy.h"
#include "mm/vm.h"
#include "proc/proc.h"
#include "sys/args.h"

int64 sys_poweroff(const uint64 *a);
int64 sys_memstat(const uint64 *a);
int64 sys_proclist(const uint64 *a);
int64 sys_vmprint(const uint64 *a);
int64 sys_inject(const uint64 *a);

int64 sys_poweroff(const uint64 *a) {
  int status = arg_int(a, 0);
  int err = message_drain();
  if (err) return err;
  power_off(status & 0xff);
}

int64 sys_memstat(const uint64 *a) {
  uint64 frames[FRAME_KINDS], total;
  uint64 kept = proc_kept_frames();  // first: frames of stacks never become fewer
  frames_census(frames, &total);
  struct memstat out = {
      .total = total,
      .free = frames[FRAME_FREE],
      .user = frames[FRAME_USER],
      .pagetable = frames[FRAME_PAGETABLE],
      .kept = kept,
      .kstack = frames[FRAME_KSTACK] - kept,
      .slab = frames[FRAME_SLAB],
      .pipe = frames[FRAME_PIPE],
      .other = frames[FRAME_OTHER],
      .faults = stat_sum(STAT_FAULTS),
      .zero_fills = stat_sum(STAT_ZERO_FILLS),
      .cow_copies = stat_sum(STAT_COW_COPIES),
      .cow_reuses = stat_sum(STAT_COW_REUSES),
      .spurious = stat_sum(STAT_SPURIOUS),
      .shootdowns = stat_sum(STAT_SHOOTDOWNS),
  };
  return copyout(myproc()->vm, a[0], &out, sizeof(out));
}

// A frame of rows at a time.
int64 sys_proclist(const uint64 *a) {
  int max = arg_int(a, 1), done = 0, err = 0;
  if (max < 0) return -EINVAL;
  struct procinfo *rows = kalloc_zeroed(FRAME_OTHER);
  if (rows == NULL) return -ENOMEM;
  uint32 slot = 0;
  while (err == 0) {
    int n = proc_list(&slot, rows, MIN((uint64)(max - done), PGSIZE / sizeof(*rows)));
    if (n == 0) break;
    err = copyout(myproc()->vm, a[0] + done * sizeof(*rows), rows, n * sizeof(*rows));
    done += n;
  }
  kfree(rows);
  return err ? err : done;
}

int64 sys_vmprint(const uint64 *a) {
  (void)a;
  return vmprint(myproc()->vm);
}

int64 sys_inject(const uint64 *a) { return inject_order(arg_int(a, 0), arg_int(a, 1)); }
