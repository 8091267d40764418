// Copies between kernel memory and user addresses: see mm/usercopy.h.
//
// In a vm of one thread, which is the caller, nothing changes meanwhile: pages that are
// ready are copied without a lock.  Otherwise the vm's lock is held shared, and each
// page copied under its leaf table's lock, so the translation holds for as long as it
// is used: no other thread can replace the page, no fork can share it in the middle of
// a write.  A page that is not ready is resolved by vmfault first, as the same access
// from user mode would, and then looked up again.
#include "mm/usercopy.h"

#include "arch/csr.h"
#include "debug/explore.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/fault.h"
#include "mm/pagetable.h"
#include "mm/vm.h"

static inline uint64 rest_of_page(uint64 va, uint64 len) {
  return MIN(len, PGSIZE - va % PGSIZE);
}

// The kernel address of user address va if its page allows `access` as it is, or NULL.
// Nobody but the caller runs in vm.
static inline char *find_ready(struct vm *vm, uint64 va, uint64 access) {
  if (unlikely(va >= USERTOP)) return NULL;
  pte_t *pte = walk(vm->root, va);
  if (unlikely(pte == NULL)) return NULL;
  return likely(*pte & access) ? (char *)pte_va(*pte) + va % PGSIZE : NULL;
}

// The kernel address of user address va, once it allows `access`, with the lock of
// its leaf table held; *lk says which.  NULL and *err if it never will.
static char *lock_page(struct vm *vm, uint64 va, uint64 access, struct spinlock **lk, int *err) {
  if (va >= USERTOP) {
    *err = -EFAULT;
    return NULL;
  }
  for (;;) {
    pte_t *pte = walk(vm->root, va);
    if (pte != NULL) {
      *lk = pte_lock(pte);
      acquire(*lk);
      pte_t entry = *pte;
      if (entry & access) return (char *)pte_va(entry) + va % PGSIZE;
      release(*lk);
    }
    *err = vmfault(vm, va, access);
    if (*err) return NULL;
    explore_yield();
  }
}

// The pieces below lie in one page each.

static NOINLINE int get_locked(struct vm *vm, void *dst, uint64 va, uint64 n) {
  int err = 0;
  struct spinlock *lk;
  if (n == 0) return 0;
  rwlock_share(&vm->lock);
  const char *from = lock_page(vm, va, PTE_R, &lk, &err);
  if (from != NULL) {
    memcpy(dst, from, n);
    release(lk);
  }
  rwlock_unshare(&vm->lock);
  return err;
}

static inline int get_piece(struct vm *vm, void *dst, uint64 va, uint64 n) {
  const char *from = likely(vm_is_private(vm)) ? find_ready(vm, va, PTE_R) : NULL;
  if (unlikely(from == NULL)) return get_locked(vm, dst, va, n);
  memcpy(dst, from, n);
  return 0;
}

static NOINLINE int put_locked(struct vm *vm, uint64 va, const void *src, uint64 n) {
  int err = 0;
  struct spinlock *lk;
  if (n == 0) return 0;
  rwlock_share(&vm->lock);
  char *to = lock_page(vm, va, PTE_W, &lk, &err);
  if (to != NULL) {
    memcpy(to, src, n);
    release(lk);
  }
  rwlock_unshare(&vm->lock);
  return err;
}

static inline int put_piece(struct vm *vm, uint64 va, const void *src, uint64 n) {
  char *to = likely(vm_is_private(vm)) ? find_ready(vm, va, PTE_W) : NULL;
  if (unlikely(to == NULL)) return put_locked(vm, va, src, n);
  memcpy(to, src, n);
  return 0;
}

static NOINLINE int get_pieces(struct vm *vm, char *to, uint64 va, uint64 len) {
  int err = 0;
  for (uint64 n; len > 0 && err == 0; to += n, va += n, len -= n) {
    n = rest_of_page(va, len);
    err = get_piece(vm, to, va, n);
  }
  return err;
}

static NOINLINE int put_pieces(struct vm *vm, uint64 va, const char *from, uint64 len) {
  int err = 0;
  for (uint64 n; len > 0 && err == 0; from += n, va += n, len -= n) {
    n = rest_of_page(va, len);
    err = put_piece(vm, va, from, n);
  }
  return err;
}

int copyin(struct vm *vm, void *dst, uint64 va, uint64 len) {
  ASSERT(intr_get());
  if (likely(rest_of_page(va, len) == len)) return get_piece(vm, dst, va, len);
  return get_pieces(vm, dst, va, len);
}

int copyout(struct vm *vm, uint64 va, const void *src, uint64 len) {
  ASSERT(intr_get());
  if (likely(rest_of_page(va, len) == len)) return put_piece(vm, va, src, len);
  return put_pieces(vm, va, src, len);
}

int64 copyinstr(struct vm *vm, char *dst, uint64 va, uint64 size) {
  int64 result = -ENAMETOOLONG;
  uint64 done = 0;
  rwlock_share(&vm->lock);
  while (done < size) {
    uint64 n = rest_of_page(va, size - done);
    struct spinlock *lk;
    int err;
    const char *from = lock_page(vm, va, PTE_R, &lk, &err);
    if (from == NULL) {
      result = err;
      break;
    }
    const char *nul = memchr(from, 0, n);
    if (nul != NULL) n = nul - from + 1;
    memmove(dst + done, from, n);
    release(lk);
    done += n;
    va += n;
    if (nul != NULL) {
      result = done - 1;
      break;
    }
  }
  rwlock_unshare(&vm->lock);
  return result;
}
