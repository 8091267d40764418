// The threads of a storm's operation.  Each runs on one page of the program's own,
// so the break and the heap belong to the storm alone.
#pragma once

#include "kernel/atomic.h"
#include "kernel/types.h"

#define CREW_MOST  8

// Adds a thread that will run role(which).  Returns its number, or -1, which is legal.
int crew_add(void (*role)(uint64 which), uint64 which);

// Lets those that were added begin, or end at once.
void crew_begin(void);
void crew_cancel(void);

// Waits until all have ended.  The caller ends with status 1 when one of them did so
// without returning from its role: its CHECK has failed.
void crew_join(void);

// A word that threads wait for.  word_await looks at it for a while before it sleeps,
// so that a hart keeps its translations, until it is no longer `old`; returns what it
// is then.  The others store, or add, and wake all who sleep.
int word_await(int *word, int old);
void word_set(int *word, int value);
void word_add(int *word, int more);

// Memory that other threads, or the kernel, change at the same time.
static inline uint64 look(const uint64 *at) { return atomic_load_acquire(at); }
static inline void put(uint64 *at, uint64 v) { atomic_store_release(at, v); }
static inline int is_set(const int *flag) { return atomic_load_acquire(flag); }
static inline int add_to(int *n, int more) { return atomic_add_acq_rel(n, more) + more; }
