// Device registers: 32-bit accesses in program order with memory.
//
// A plain fence orders memory alone; what is written to a device must also wait
// for the memory that it is told to look at, and the other way round (RISC-V
// unprivileged specification, 2.7).
#pragma once

#include "arch/memlayout.h"
#include "lib/types.h"

// Reads the register at physical address pa, before any later access.
static inline uint32 mmio_read(uint64 pa) {
  uint32 value = *(volatile uint32 *)pa_to_va(pa);
  asm volatile("fence i, iorw" : : : "memory");
  return value;
}

// Writes it, after every earlier access.
static inline void mmio_write(uint64 pa, uint32 value) {
  asm volatile("fence iorw, o" : : : "memory");
  *(volatile uint32 *)pa_to_va(pa) = value;
}
