// Page tables for people.
#pragma once

struct vm;

// Prints the user half of a page table: for each entry in use its depth, index,
// the entry itself, its flags, and the physical and virtual address.  Entries are
// copied a few at a time with vm->lock shared and printed without it, so the table
// may change between two pieces; each piece begins behind the last one's addresses.
// Returns 0, or -EINTR when the process was killed first.  Sleeps; no lock held.
int vmprint(struct vm *vm);
