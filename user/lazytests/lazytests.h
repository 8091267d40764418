// The tests of lazily handed-out memory; each file says what its own are about.
#pragma once

#include "kernel/types.h"
#include "kernel/memlayout.h"
#include "kernel/riscv.h"
#include "user/testlib.h"
#include "user/user.h"

#define KIB  1024l
#define MIB  (1024 * KIB)
#define GIB  (1024 * MIB)

// lab.c: the tests that lazy allocation is usually taught with
void lazy_alloc(void);
void lazy_unmap(void);
void out_of_memory(void);
void sbrk_ten(void);
void valid_bytes(void);
void grow_shrink_write(void);
void three_pages(void);
void too_much_memory(void);
void above_the_break(void);

// bounds.c: addresses and rights
void guard_page(void);
void no_execute(void);
void text_is_constant(void);
void bad_addresses(void);
void bad_pointers(void);
void wrapping_pointers(void);

// sizes.c: growing, shrinking, and what it costs
void sbrk_edges(void);
void shrink_to_nothing(void);
void shrink_inside_page(void);
void shrink_frees_tables(void);
void sparse_to_the_top(void);
void sparse_fork(void);
void eager_pages(void);
void eager_too_much(void);
void eager_killed(void);
void mode_is_optional(void);
void one_fault_a_page(void);

// calls.c: system calls that meet memory nobody has touched
void lazy_pipe(void);
void lazy_file(void);
void lazy_results(void);
void path_across_pages(void);
void path_without_end(void);
void exec_lazy_arguments(void);
void wait_bad_pointer(void);
void pipe_bad_pointer(void);
void no_memory_in_a_call(void);
