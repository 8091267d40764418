// The parts of ELF-64 that exec reads (System V ABI, chapters 4 and 5).
#pragma once

#include "lib/types.h"

#define ELF_MAGIC    0x464c457f  // 7f 45 4c 46
#define ELF_CLASS64  2
#define ELF_LITTLE   1
#define ELF_RISCV    243
#define ELF_LOAD     1           // program header type

#define ELF_FLAG_X  1
#define ELF_FLAG_W  2
#define ELF_FLAG_R  4

struct elf_header {
  uint32 magic;
  uint8 class, data, rest_of_ident[10];
  uint16 type, machine;
  uint32 version;
  uint64 entry, phoff, shoff;
  uint32 flags;
  uint16 ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};

struct elf_program_header {
  uint32 type, flags;
  uint64 offset, vaddr, paddr, filesz, memsz, align;
};
