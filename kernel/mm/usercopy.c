// Copies between kernel memory and user addresses: see mm/usercopy.h.
//
// Each page is copied under its leaf table's lock, so the translation holds for as
// long as it is used: no other thread can replace the page, no fork can share it
// in the middle of a write.  A page that is not ready is resolved by vmfault first,
// as the same access from user mode would, and then looked up again.
#include "mm/usercopy.h"

#include "arch/csr.h"
#include "debug/explore.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/fault.h"
#include "mm/pagetable.h"
#include "mm/vm.h"

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

static inline uint64 rest_of_page(uint64 va, uint64 len) {
  return MIN(len, PGSIZE - va % PGSIZE);
}

int copyin(struct vm *vm, void *dst, uint64 va, uint64 len) {
  int err = 0;
  rwlock_share(&vm->lock);
  for (char *to = dst; len > 0;) {
    uint64 n = rest_of_page(va, len);
    struct spinlock *lk;
    const char *from = lock_page(vm, va, PTE_R, &lk, &err);
    if (from == NULL) break;
    memmove(to, from, n);
    release(lk);
    to += n;
    va += n;
    len -= n;
  }
  rwlock_unshare(&vm->lock);
  return err;
}

int copyout(struct vm *vm, uint64 va, const void *src, uint64 len) {
  int err = 0;
  rwlock_share(&vm->lock);
  for (const char *from = src; len > 0;) {
    uint64 n = rest_of_page(va, len);
    struct spinlock *lk;
    char *to = lock_page(vm, va, PTE_W, &lk, &err);
    if (to == NULL) break;
    memmove(to, from, n);
    release(lk);
    from += n;
    va += n;
    len -= n;
  }
  rwlock_unshare(&vm->lock);
  return err;
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
