// Atomic operations under their memory-model names.  Plain `atomic_load` and
// `atomic_store` are relaxed: they order nothing, they only never tear.
// CPUS.md says which acquire pairs with which release.
#pragma once

#define atomic_load(p)              __atomic_load_n(p, __ATOMIC_RELAXED)
#define atomic_load_acquire(p)      __atomic_load_n(p, __ATOMIC_ACQUIRE)

// A volatile store of an aligned word is one instruction.  (GCC 12 makes a swap, a
// whole atomic operation, out of __atomic_store_n.)
#define atomic_store(p, v)                                    \
  do {                                                        \
    _Static_assert(sizeof(*(p)) <= 8, "one store");           \
    *(volatile __typeof__(*(p)) *)(p) = (v);                  \
  } while (0)
#define atomic_store_release(p, v)              \
  do {                                          \
    __atomic_thread_fence(__ATOMIC_RELEASE);    \
    atomic_store(p, v);                         \
  } while (0)

// Read-modify-write; each returns the value before.
#define atomic_add(p, v)            __atomic_fetch_add(p, v, __ATOMIC_RELAXED)
#define atomic_add_acq_rel(p, v)    __atomic_fetch_add(p, v, __ATOMIC_ACQ_REL)
#define atomic_or(p, v)             __atomic_fetch_or(p, v, __ATOMIC_SEQ_CST)
#define atomic_and(p, v)            __atomic_fetch_and(p, v, __ATOMIC_SEQ_CST)
#define atomic_swap(p, v)           __atomic_exchange_n(p, v, __ATOMIC_SEQ_CST)

// True when *p was `from` and is `to` now.  (Both orders are full ones because GCC 12
// takes the fence before from the weaker of the two.)
#define atomic_cas(p, from, to)                                          \
  ({                                                                     \
    __typeof__(*(p)) expect_ = (from);                                   \
    __atomic_compare_exchange_n(p, &expect_, to, 0, __ATOMIC_SEQ_CST,    \
                                __ATOMIC_SEQ_CST);                       \
  })

// After a relaxed load of a value, orders what its writer did before what follows.
#define atomic_fence_acquire()  __atomic_thread_fence(__ATOMIC_ACQUIRE)

// Orders every access before against every access after.
#define atomic_fence()  __atomic_thread_fence(__ATOMIC_SEQ_CST)
