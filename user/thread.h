// Threads, and what they wait for each other with.  The calls below this are clone,
// join and futex (user/user.h); malloc, free and printf may be used from any thread.
//
// A thread is a process that shares memory and open files with the others of its
// program.  exit() in a thread ends that thread; in the first one it ends them all,
// as does returning from main, a fault or a kill of any of them.
#pragma once

#include "kernel/types.h"

// Starts start(arg1, arg2) in a new thread with a stack of its own of THREAD_STACK
// bytes; returning from it ends the thread.  Returns its pid or -1.
int thread_create(void (*start)(void *, void *), void *arg1, void *arg2);
#define THREAD_STACK  (4 * 4096)

// Waits for a thread that the caller has created to end and frees its stack.
// Returns its pid; -1 when there is none.
int thread_join(void);

// Mutual exclusion.  A zeroed mutex is free.
struct mutex {
  int word;
};
void mutex_init(struct mutex *m);
void mutex_lock(struct mutex *m);
int mutex_trylock(struct mutex *m);  // whether it was free, and is the caller's now
void mutex_unlock(struct mutex *m);

// Condition variables.  A zeroed one is ready.  cond_wait gives up the mutex, sleeps
// until signalled (or for no reason: test the condition again) and takes it back;
// the other two wake one sleeper, or all.
struct cond {
  int signals;
};
void cond_init(struct cond *c);
void cond_wait(struct cond *c, struct mutex *m);
void cond_signal(struct cond *c);
void cond_broadcast(struct cond *c);

// The same mutex under other names.
typedef struct mutex lock_t;
static inline void lock_init(lock_t *lock) { mutex_init(lock); }
static inline void lock_acquire(lock_t *lock) { mutex_lock(lock); }
static inline void lock_release(lock_t *lock) { mutex_unlock(lock); }
