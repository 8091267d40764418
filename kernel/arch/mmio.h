// Device registers: 32-bit accesses, and their order with memory.
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

// What follows comes after all writes of registers so far.  Needed where the device, or
// another hart, acts on memory that is read afterwards: a release or an acquire orders
// memory alone, not I/O (unprivileged specification, "A").
static inline void mmio_written(void) { asm volatile("fence o, iorw" : : : "memory"); }
