// Copies between kernel memory and user addresses: see mm/usercopy.h.
//
// In a single-threaded vm, whose thread is the caller, pages that are ready are copied
// without a lock.  Otherwise the vm's lock is held shared, and each page copied under its
// leaf table's lock, so the translation holds for as long as it is used: no other thread
// can replace the page, no fork can share it in the middle of a write.  A page that is not
// ready is resolved by vmfault first, as the same access from user mode would, and then
// looked up again.
#include "mm/usercopy.h"

#include "arch/csr.h"
#include "debug/explore.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/fault.h"
#include "mm/kalloc.h"
#include "mm/pagetable.h"
#include "mm/tlb.h"
#include "mm/vm.h"

static inline uint64 rest_of_page(uint64 va, uint64 len) {
  return MIN(len, PGSIZE - va % PGSIZE);
}

// Asserts what every function here asks of its caller.
static inline void check_context(void) {
  ASSERT(intr_get());
  lockdebug_none_after(LOCK_VM);
}

// The entry for user address va if its page allows `access` as it is, or 0.  The caller is
// the only thread of vm.
static inline pte_t find_ready(struct vm *vm, uint64 va, uint64 access) {
  if (unlikely(va >= USERTOP)) return 0;
  pte_t *pte = walk(vm->root, va);
  if (unlikely(pte == NULL)) return 0;
  return likely(*pte & access) ? *pte : 0;
}

static inline char *byte_at(pte_t entry, uint64 va) { return (char *)pte_va(entry) + va % PGSIZE; }

// The entry for user address va, once it allows `access`, with the lock of its leaf table
// held; *lk says which.  0 and *err if it never will.  The vm's lock is held.
static pte_t lock_page(struct vm *vm, uint64 va, uint64 access, struct spinlock **lk, int *err) {
  if (va >= USERTOP) {
    *err = -EFAULT;
    return 0;
  }
  for (;;) {
    pte_t *pte = walk(vm->root, va);
    if (pte != NULL) {
      *lk = pte_lock(pte);
      acquire(*lk);
      pte_t entry = *pte;
      if (entry & access) return entry;
      release(*lk);
    }
    *err = vmfault(vm, va, access);
    if (*err) return 0;
    explore_yield();
  }
}

// --- single pieces: they lie in one page each ----------------------------------------

static NOINLINE int get_locked(struct vm *vm, void *dst, uint64 va, uint64 n) {
  int err = 0;
  struct spinlock *lk;
  if (n == 0) return 0;
  rwlock_share(&vm->lock);
  pte_t entry = lock_page(vm, va, PTE_R, &lk, &err);
  if (entry != 0) {
    memcpy(dst, byte_at(entry, va), n);
    release(lk);
  }
  rwlock_unshare(&vm->lock);
  return err;
}

static inline int get_piece(struct vm *vm, void *dst, uint64 va, uint64 n) {
  pte_t entry = likely(vm_is_private(vm)) ? find_ready(vm, va, PTE_R) : 0;
  if (unlikely(entry == 0)) return get_locked(vm, dst, va, n);
  memcpy(dst, byte_at(entry, va), n);
  return 0;
}

static NOINLINE int put_locked(struct vm *vm, uint64 va, const void *src, uint64 n) {
  int err = 0;
  struct spinlock *lk;
  if (n == 0) return 0;
  rwlock_share(&vm->lock);
  pte_t entry = lock_page(vm, va, PTE_W, &lk, &err);
  if (entry != 0) {
    memcpy(byte_at(entry, va), src, n);
    release(lk);
  }
  rwlock_unshare(&vm->lock);
  if (unlikely(entry & PTE_X)) tlb_code_changed(vm);
  return err;
}

static inline int put_piece(struct vm *vm, uint64 va, const void *src, uint64 n) {
  pte_t entry = likely(vm_is_private(vm)) ? find_ready(vm, va, PTE_W) : 0;
  if (unlikely(entry == 0 || (entry & PTE_X))) return put_locked(vm, va, src, n);
  memcpy(byte_at(entry, va), src, n);
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
  check_context();
  if (likely(rest_of_page(va, len) == len)) return get_piece(vm, dst, va, len);
  return get_pieces(vm, dst, va, len);
}

int copyout(struct vm *vm, uint64 va, const void *src, uint64 len) {
  check_context();
  if (likely(rest_of_page(va, len) == len)) return put_piece(vm, va, src, len);
  return put_pieces(vm, va, src, len);
}

// --- strings -------------------------------------------------------------------------

// Copies bytes up to and with the first NUL, at most n.  Returns how many.  The NUL is
// looked for in the byte that was copied: the user's may have changed.
static uint64 copy_string(char *dst, const char *src, uint64 n) {
  uint64 i = 0;
  while (i < n && (dst[i] = atomic_load(&src[i])) != 0) i++;
  return i < n ? i + 1 : n;
}

static NOINLINE int64 string_locked(struct vm *vm, char *dst, uint64 va, uint64 n) {
  int64 result = 0;
  int err = 0;
  struct spinlock *lk;
  rwlock_share(&vm->lock);
  pte_t entry = lock_page(vm, va, PTE_R, &lk, &err);
  if (entry != 0) {
    result = copy_string(dst, byte_at(entry, va), n);
    release(lk);
  }
  rwlock_unshare(&vm->lock);
  return err ? err : result;
}

// Returns how many bytes were copied, or a negative errno.
static int64 string_piece(struct vm *vm, char *dst, uint64 va, uint64 n) {
  pte_t entry = likely(vm_is_private(vm)) ? find_ready(vm, va, PTE_R) : 0;
  if (unlikely(entry == 0)) return string_locked(vm, dst, va, n);
  return copy_string(dst, byte_at(entry, va), n);
}

int64 copyinstr(struct vm *vm, char *dst, uint64 va, uint64 size) {
  check_context();
  for (uint64 done = 0; done < size;) {
    int64 n = string_piece(vm, dst + done, va + done, rest_of_page(va + done, size - done));
    if (n < 0) return n;
    done += n;
    if (dst[done - 1] == 0) return done - 1;
  }
  return -ENAMETOOLONG;
}

// --- buffers -------------------------------------------------------------------------

// Resolves the page of va for `access`.  Returns its entry, or 0 and *err.  In a vm of
// several threads the frame is pinned before its translation may change.
static NOINLINE pte_t make_ready(struct io_buffer *io, struct vm *vm, uint64 va, uint64 access) {
  struct spinlock *lk;
  rwlock_share(&vm->lock);
  pte_t entry = lock_page(vm, va, access, &lk, &io->err);
  if (entry != 0) {
    if (io->todo & IO_UNPIN) page_get(page_of_pa(pte_pa(entry)));
    release(lk);
  }
  rwlock_unshare(&vm->lock);
  return entry;
}

// Adds pages to the buffer until it holds n bytes.
static NOINLINE void add_pages(struct io_buffer *io, struct vm *vm, uint64 va, uint64 n,
                               uint64 access) {
  char **page = io->pages;
  bool private = vm_is_private(vm);
  if (!private) io->todo |= IO_UNPIN;
  for (uint64 piece; io->len < n; io->len += piece, va += piece) {
    piece = rest_of_page(va, n - io->len);
    pte_t entry = private ? find_ready(vm, va, access) : 0;
    if (entry == 0) entry = make_ready(io, vm, va, access);
    if (entry == 0) return;
    if ((entry & PTE_X) && access == PTE_W) io->todo |= IO_SYNC_CODE;
    *page++ = pte_va(entry);
  }
}

// Most buffers are a piece of one page that is ready.
static ALWAYS_INLINE void begin(struct io_buffer *io, struct vm *vm, uint64 va, uint64 n,
                                uint64 access) {
  check_context();
  io->offset = va % PGSIZE;
  io->err = 0;
  io->todo = 0;
  pte_t entry = likely(vm_is_private(vm)) ? find_ready(vm, va, access) : 0;
  bool code = access == PTE_W && (entry & PTE_X);
  if (likely(entry != 0 && !code && va % PGSIZE + n <= PGSIZE)) {
    io->len = n;
    io->pages[0] = pte_va(entry);
    return;
  }
  io->len = 0;
  add_pages(io, vm, va, MIN(n, IO_BUFFER_MAX), access);
}

void user_write_begin(struct io_buffer *io, struct vm *vm, uint64 va, uint64 n) {
  begin(io, vm, va, n, PTE_W);
}

void user_read_begin(struct io_buffer *io, struct vm *vm, uint64 va, uint64 n) {
  begin(io, vm, va, n, PTE_R);
}

void user_io_finish(struct io_buffer *io, struct vm *vm) {
  if (io->todo & IO_SYNC_CODE) tlb_code_changed(vm);
  if (!(io->todo & IO_UNPIN) || io->len == 0) return;
  uint64 pages = (io->offset + io->len + PGSIZE - 1) / PGSIZE;
  for (uint64 i = 0; i < pages; i++) page_put(page_of(io->pages[i]));
}
