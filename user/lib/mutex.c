// Mutexes and condition variables (user/thread.h).
#include "user/thread.h"

#include "lock.h"

void mutex_init(struct mutex *m) { m->word = 0; }

void mutex_lock(struct mutex *m) { lock_take(&m->word); }

int mutex_trylock(struct mutex *m) { return lock_try(&m->word); }

void mutex_unlock(struct mutex *m) { lock_give(&m->word); }

void cond_init(struct cond *c) { c->signals = 0; }

// A signal after the mutex was given up changes the number, and then either finds
// us asleep or keeps us from falling asleep.
void cond_wait(struct cond *c, struct mutex *m) {
  int seen = atomic_load(&c->signals);
  mutex_unlock(m);
  lock_futex(&c->signals, FUTEX_WAIT, seen);
  mutex_lock(m);
}

static void wake(struct cond *c, int most) {
  atomic_add_release(&c->signals, 1);
  lock_futex(&c->signals, FUTEX_WAKE, most);
}

void cond_signal(struct cond *c) { wake(c, 1); }

void cond_broadcast(struct cond *c) { wake(c, 0x7fffffff); }
