// Page tables for people.
#pragma once

#include "arch/pte.h"

// Prints the user half of a page table: for each entry in use its depth, index,
// the entry itself, its flags, and the physical and virtual address.  The vm's lock
// is held.
void vmprint(const pte_t *root);
