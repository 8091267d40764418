// exec: a new address space from a program file and arguments.
//
// Everything is checked and built beside the running one, and put in its place in
// one step at the end, so a failure costs the caller nothing.  The arguments are fetched
// before the file is locked, since that may fault; a failed image is dropped, and a good
// one put in place, after it has been unlocked: that waits for the other threads to end,
// and one of those may be waiting for the file.
#include "proc/exec.h"

#include "arch/trapframe.h"
#include "kernel/atomic.h"
#include "kernel/param.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/kalloc.h"
#include "mm/tlb.h"
#include "mm/usercopy.h"
#include "mm/vm.h"
#include "proc/elf.h"
#include "proc/proc.h"
#include "proc/thread.h"

#define MAX_SEGMENTS  (MAX_REGIONS - 3)  // guard, stack and heap want a region each
#define ARG_ALIGN     16

struct image {
  uint64 entry;
  int count;
  struct elf_program_header segments[MAX_SEGMENTS];  // by rising address
};

// All n bytes or an error.
static int read_all(const struct program *prog, void *dst, uint64 off, uint32 n) {
  int got = prog->read(prog->file, dst, off, n);
  if (got < 0) return got;
  return (uint32)got == n ? 0 : -ENOEXEC;
}

static bool segment_is_sound(const struct program *prog, const struct elf_program_header *ph) {
  return ph->vaddr % PGSIZE == 0 && ph->filesz <= ph->memsz && ph->vaddr <= USERTOP &&
         ph->memsz <= USERTOP - ph->vaddr && ph->offset <= prog->size &&
         ph->filesz <= prog->size - ph->offset;
}

// Keeps the segments sorted.
static int add_segment(struct image *image, const struct elf_program_header *ph) {
  if (image->count == MAX_SEGMENTS) return -ENOEXEC;
  int i = image->count++;
  for (; i > 0 && image->segments[i - 1].vaddr > ph->vaddr; i--)
    image->segments[i] = image->segments[i - 1];
  image->segments[i] = *ph;
  return 0;
}

static int read_headers(const struct program *prog, struct image *image) {
  struct elf_header eh;
  int err = read_all(prog, &eh, 0, sizeof(eh));
  if (err) return err;
  if (eh.magic != ELF_MAGIC || eh.class != ELF_CLASS64 || eh.data != ELF_LITTLE ||
      eh.machine != ELF_RISCV || eh.phentsize != sizeof(struct elf_program_header))
    return -ENOEXEC;
  if (eh.phoff > prog->size || eh.phnum > (prog->size - eh.phoff) / eh.phentsize) return -ENOEXEC;
  image->entry = eh.entry;
  image->count = 0;
  for (int i = 0; i < eh.phnum; i++) {
    struct elf_program_header ph;
    err = read_all(prog, &ph, eh.phoff + i * sizeof(ph), sizeof(ph));
    if (err) return err;
    if (ph.type != ELF_LOAD) continue;
    if (!segment_is_sound(prog, &ph)) return -ENOEXEC;
    if (ph.memsz == 0) continue;
    err = add_segment(image, &ph);
    if (err) return err;
  }
  return 0;
}

// Sv39 has no page that can be written but not read, and none that is nothing.
static uint32 rights_of(uint32 flags) {
  return PTE_R | (flags & ELF_FLAG_W ? PTE_W : 0) | (flags & ELF_FLAG_X ? PTE_X : 0);
}

// Regions for the segments, then guard, stack, and an empty heap.  vm_add_region
// refuses what overlaps or passes the top.
static int lay_out(struct vm *vm, const struct image *image) {
  for (int i = 0; i < image->count; i++) {
    const struct elf_program_header *ph = &image->segments[i];
    int err = vm_add_region(vm, ph->vaddr, PGROUNDUP(ph->vaddr + ph->memsz), REGION_IMAGE,
                            rights_of(ph->flags));
    if (err) return err;
  }
  uint64 guard = vm->size, stack = guard + GUARDPAGES * PGSIZE, heap = stack + PGSIZE;
  int err = vm_add_region(vm, guard, stack, REGION_GUARD, 0);
  if (!err) err = vm_add_region(vm, stack, heap, REGION_STACK, PTE_R | PTE_W);
  if (!err) err = vm_add_heap(vm, heap);
  return err;
}

static int load_segment(struct vm *vm, const struct program *prog,
                        const struct elf_program_header *ph) {
  for (uint64 done = 0; done < ph->filesz; done += PGSIZE) {
    void *page = vm_fill_page(vm, ph->vaddr + done);
    if (page == NULL) return -ENOMEM;
    int err = read_all(prog, page, ph->offset + done, MIN(ph->filesz - done, (uint64)PGSIZE));
    if (err) return err;
  }
  return 0;
}

// --- arguments --------------------------------------------------------------

// Argument i goes to the scratch page.  Returns its length without the NUL, -ENOENT
// after the last, or another errno.
static int64 fetch(const struct arguments *args, int i, char *scratch) {
  if (args->user == 0) {
    if (args->kernel[i] == NULL) return -ENOENT;
    strcpy_padded(scratch, args->kernel[i], PGSIZE);
    return strlen(scratch);
  }
  struct vm *vm = myproc()->vm;
  uint64 string;
  int err = copyin(vm, &string, args->user + i * sizeof(string), sizeof(string));
  if (err) return err;
  if (string == 0) return -ENOENT;
  int64 n = copyinstr(vm, scratch, string, PGSIZE);
  return n == -ENAMETOOLONG ? -E2BIG : n;
}

// Makes room for n bytes; NULL when the page is full.
static char *push(struct stack_page *st, uint64 n) {
  uint64 need = (n + ARG_ALIGN - 1) & ~(ARG_ALIGN - 1UL);
  if (need > st->top) return NULL;
  // The start is aligned down, so the slack is above the bytes.
  st->top -= need;
  return st->page + st->top;
}

// Pushes the strings, then the array that will hold their addresses, and for now holds
// their distances from the start of the page.
static int push_arguments(struct stack_page *st, const struct arguments *args, char *scratch) {
  uint64 argv[MAXARG];
  for (st->argc = 0;; st->argc++) {
    int64 n = fetch(args, st->argc, scratch);
    if (n == -ENOENT) break;
    if (n < 0) return n;
    char *string = st->argc < MAXARG - 1 ? push(st, n + 1) : NULL;
    if (string == NULL) return -E2BIG;
    memcpy(string, scratch, n + 1);
    argv[st->argc] = st->top;
  }
  argv[st->argc] = 0;
  uint64 bytes = (st->argc + 1) * sizeof(argv[0]);
  char *array = push(st, bytes);
  if (array == NULL) return -E2BIG;
  memcpy(array, argv, bytes);
  return 0;
}

int exec_fetch(const struct arguments *args, struct stack_page *out) {
  out->top = PGSIZE;
  out->page = kalloc_zeroed(FRAME_USER);
  char *scratch = kalloc(FRAME_OTHER);
  int err = out->page != NULL && scratch != NULL ? push_arguments(out, args, scratch) : -ENOMEM;
  if (scratch != NULL) kfree(scratch);
  if (err) exec_drop_stack(out);
  return err;
}

void exec_drop_stack(struct stack_page *st) {
  if (st->page != NULL) kfree(st->page);
  st->page = NULL;
}

// Puts the page in its place, and makes addresses of the array's distances.
static int install_stack(struct vm *vm, struct stack_page *st, struct new_program *new) {
  uint64 base = vm->size - PGSIZE;
  if (!vm_install_page(vm, base, st->page)) return -ENOMEM;
  uint64 *argv = (uint64 *)(st->page + st->top);
  for (int i = 0; i < st->argc; i++) argv[i] += base;
  new->sp = base + st->top;
  new->argc = st->argc;
  st->page = NULL;
  return 0;
}

// --- putting it in place ----------------------------------------------------

// The point of no return.  The caller is the only thread.
static int replace(const struct new_program *new) {
  struct proc *p = myproc();
  struct vm *old = p->vm;
  acquire(&p->family);
  p->vm = new->vm;
  memcpy(p->name, new->name, sizeof(p->name));
  tlb_load(new->vm);
  release(&p->family);
  if (old != NULL) vm_put(old);
  memset(p->tf, 0, sizeof(*p->tf));
  p->tf->sepc = new->entry;
  p->tf->sp = new->sp;
  p->tf->a[1] = new->sp;
  return new->argc;
}

static int build(struct new_program *new, const struct program *prog, struct stack_page *st) {
  struct image image;
  int err = read_headers(prog, &image);
  if (err) return err;
  err = lay_out(new->vm, &image);
  for (int i = 0; i < image.count && !err; i++)
    err = load_segment(new->vm, prog, &image.segments[i]);
  if (err) return err;
  new->entry = image.entry;
  strcpy_padded(new->name, prog->name, sizeof(new->name));
  return install_stack(new->vm, st, new);
}

int exec_prepare(const struct program *prog, struct stack_page *st, struct new_program *out) {
  out->vm = vm_create();
  return out->vm == NULL ? -ENOMEM : build(out, prog, st);
}

void exec_drop(struct new_program *new) {
  if (new->vm != NULL) vm_put(new->vm);
  new->vm = NULL;
}

int exec_commit(const struct new_program *new) {
  if (!claim_process(new)) {
    vm_put(new->vm);
    return -EINTR;
  }
  if (!is_leader(myproc())) exit_thread();
  close_process();
  reopen_process();
  return replace(new);
}

void exec_next(void) {
  struct proc *p = myproc();
  close_process();
  struct new_program next = p->next;
  p->next.vm = NULL;
  atomic_and_full(&p->stop, ~(uint32)STOP_EXEC);
  reopen_process();
  p->tf->a[0] = replace(&next);
}
