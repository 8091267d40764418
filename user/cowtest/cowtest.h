// The tests of copy on write; each file says what its own are about.
#pragma once

#include "kernel/types.h"
#include "kernel/riscv.h"
#include "user/testlib.h"
#include "user/user.h"

// lab.c: the tests that copy on write is usually taught with
void simple(void);
void three(void);
void file(void);
void forkfork(void);

// share.c: who sees what
void generations(void);
void middle_exits(void);
void parent_writes_first(void);
void writers_race(void);
void shrink_inside_shared(void);
void text_stays_constant(void);
void exec_leaves_parent(void);
void many_sharers(void);
void page_borders(void);
void writable_text(void);

// count.c: what it costs
void sole_owner(void);
void one_copy_a_page(void);
void fork_takes_no_pages(void);

// calls.c: system calls that store into shared pages
void call_results(void);
void call_shows_at_once(void);
void call_over_borders(void);

// fail.c: no memory
void fork_until_full(void);
void no_memory_to_copy(void);
void each_allocation_fails(void);
