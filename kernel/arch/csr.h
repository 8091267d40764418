// Control and status registers, and the few instructions with no C name.
// Numbers and bits: RISC-V privileged specification 1.12.
#pragma once

#include "lib/types.h"

#define csr_read(csr)                             \
  ({                                              \
    uint64 value_;                                \
    asm volatile("csrr %0, " #csr : "=r"(value_)); \
    value_;                                       \
  })
#define csr_write(csr, v)  asm volatile("csrw " #csr ", %0" : : "rK"(v) : "memory")
#define csr_set(csr, v)    asm volatile("csrs " #csr ", %0" : : "rK"(v) : "memory")
#define csr_clear(csr, v)  asm volatile("csrc " #csr ", %0" : : "rK"(v) : "memory")
#define csr_read_clear(csr, v)                                                    \
  ({                                                                              \
    uint64 value_;                                                                \
    asm volatile("csrrc %0, " #csr ", %1" : "=r"(value_) : "rK"(v) : "memory");   \
    value_;                                                                       \
  })

#define SSTATUS_SIE   (1UL << 1)
#define SSTATUS_SPIE  (1UL << 5)
#define SSTATUS_SPP   (1UL << 8)

#define SIE_SOFT      (1UL << 1)
#define SIE_TIMER     (1UL << 5)
#define SIE_EXTERNAL  (1UL << 9)

// stimecmp (Sstc extension) by number: older assemblers lack the name.
#define CSR_STIMECMP  0x14d

// scause values.
#define CAUSE_INTERRUPT      (1UL << 63)
#define CAUSE_SOFT_IRQ       (CAUSE_INTERRUPT | 1)
#define CAUSE_TIMER_IRQ      (CAUSE_INTERRUPT | 5)
#define CAUSE_EXTERNAL_IRQ   (CAUSE_INTERRUPT | 9)
#define CAUSE_USER_ECALL     8
#define CAUSE_FETCH_FAULT    12
#define CAUSE_LOAD_FAULT     13
#define CAUSE_STORE_FAULT    15

static inline void intr_on(void) { csr_set(sstatus, SSTATUS_SIE); }
static inline void intr_off(void) { csr_clear(sstatus, SSTATUS_SIE); }
static inline bool intr_get(void) { return csr_read(sstatus) & SSTATUS_SIE; }

// Waits for an interrupt that is enabled in sie, whatever sstatus.SIE says.
static inline void wait_for_interrupt(void) { asm volatile("wfi" : : : "memory"); }

// A hint inside spin loops (Zihintpause; a plain fence on older harts).
static inline void cpu_relax(void) { asm volatile(".4byte 0x0100000f" : : : "memory"); }

// Ticks of the machine's clock, machine.timebase a second.
static inline uint64 time_now(void) { return csr_read(time); }

// An address in the caller's code.
static ALWAYS_INLINE void *code_address(void) {
  void *pc;
  asm volatile("auipc %0, 0" : "=r"(pc));
  return pc;
}
