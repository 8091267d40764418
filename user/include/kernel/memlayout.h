// Where programs and graders believe things to be.  The kernel takes the size
// of RAM from the device tree; PHYSTOP describes the default machine.
#pragma once

#define KERNBASE    0x80000000L
#define PHYSTOP     (KERNBASE + 128L * 1024 * 1024)

// The top two pages of the user half are never given out.
#define TRAMPOLINE  (MAXVA - PGSIZE)
#define TRAPFRAME   (TRAMPOLINE - PGSIZE)
#define USERTOP     TRAPFRAME
