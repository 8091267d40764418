// Atomic operations, for the kernel and for programs, under the names of their orders:
//
//   (none)      relaxed: orders nothing; the access is one, and never torn
//   _acquire    what follows in the program comes after the load of the operation
//   _release    what precedes in the program comes before its store
//   _acq_rel    both
//   _full       what precedes comes before what follows, and before the operation's load,
//               and what follows after its store
//
// Nothing else uses the compiler's __atomic functions: which instructions those become
// differs from compiler to compiler, and is not always what was asked for.
// stress/ordertest.py compiles each operation and compares the instructions with the
// name.  CPUS.md says which acquire pairs with which release.
#pragma once

#define atomic_load(p)          __atomic_load_n(p, __ATOMIC_RELAXED)
#define atomic_load_acquire(p)  __atomic_load_n(p, __ATOMIC_ACQUIRE)

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

// Read-modify-write, one instruction; each returns the value before.
#define atomic_add(p, v)           __atomic_fetch_add(p, v, __ATOMIC_RELAXED)
#define atomic_add_release(p, v)   __atomic_fetch_add(p, v, __ATOMIC_RELEASE)
#define atomic_add_acq_rel(p, v)   __atomic_fetch_add(p, v, __ATOMIC_ACQ_REL)
#define atomic_and_release(p, v)   __atomic_fetch_and(p, v, __ATOMIC_RELEASE)
#define atomic_and_full(p, v)      __atomic_fetch_and(p, v, __ATOMIC_SEQ_CST)
#define atomic_or_full(p, v)       __atomic_fetch_or(p, v, __ATOMIC_SEQ_CST)
#define atomic_swap_acquire(p, v)  __atomic_exchange_n(p, v, __ATOMIC_ACQUIRE)
#define atomic_swap_release(p, v)  __atomic_exchange_n(p, v, __ATOMIC_RELEASE)
#define atomic_swap_acq_rel(p, v)  __atomic_exchange_n(p, v, __ATOMIC_ACQ_REL)
#define atomic_swap_full(p, v)     __atomic_exchange_n(p, v, __ATOMIC_SEQ_CST)

// Compare-and-swap: if *p is *expected, it becomes `to`; returns whether it did, and if
// not, *expected is what was found.  There is no full one, which would take a fence on
// either side: a load after it may come before its store.
//
// Acquire, also when it fails.  (The order of failure counts: with a relaxed one GCC 12
// makes `lr; sc.aq`, which is no acquire.  The unprivileged specification, "A" extension,
// gives an SC with aq alone no order.)
#define atomic_cas_acquire(p, expected, to) \
  __atomic_compare_exchange_n(p, expected, to, 0, __ATOMIC_ACQUIRE, __ATOMIC_ACQUIRE)

// Release; orders nothing when it fails.  (A fence, since GCC 12 drops the release of a
// compare-and-swap whose order of failure is weaker.)
#define atomic_cas_release(p, expected, to)                                              \
  ({                                                                                     \
    __atomic_thread_fence(__ATOMIC_RELEASE);                                             \
    __atomic_compare_exchange_n(p, expected, to, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED); \
  })

// After a relaxed load of a value, orders what its writer did before what follows.
#define atomic_fence_acquire()  __atomic_thread_fence(__ATOMIC_ACQUIRE)

// Full.
#define atomic_fence()  __atomic_thread_fence(__ATOMIC_SEQ_CST)
