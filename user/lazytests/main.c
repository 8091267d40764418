// lazytests [-l | name...]: memory must come late, exactly where it was asked for,
// and go back at once.
#include "user/lazytests/lazytests.h"

static const struct test tests[] = {
    {"lazy alloc", lazy_alloc},
    {"lazy unmap", lazy_unmap},
    {"out of memory", out_of_memory},
    {"sbrk(10)", sbrk_ten},
    {"valid bytes", valid_bytes},
    {"grow, shrink, write", grow_shrink_write},
    {"three pages", three_pages},
    {"too much memory", too_much_memory},
    {"above the break", above_the_break},
    {"guard page", guard_page},
    {"no execute", no_execute},
    {"text is constant", text_is_constant},
    {"bad addresses", bad_addresses},
    {"bad pointers", bad_pointers},
    {"wrapping pointers", wrapping_pointers},
    {"sbrk edges", sbrk_edges},
    {"shrink to nothing", shrink_to_nothing},
    {"shrink inside a page", shrink_inside_page},
    {"shrink frees tables", shrink_frees_tables},
    {"sparse to the top", sparse_to_the_top},
    {"sparse fork", sparse_fork},
    {"eager pages", eager_pages},
    {"eager too much", eager_too_much},
    {"eager killed", eager_killed},
    {"mode is optional", mode_is_optional},
    {"one fault a page", one_fault_a_page},
    {"lazy pipe", lazy_pipe},
    {"lazy file", lazy_file},
    {"lazy results", lazy_results},
    {"path across pages", path_across_pages},
    {"path without end", path_without_end},
    {"exec lazy arguments", exec_lazy_arguments},
    {"wait bad pointer", wait_bad_pointer},
    {"pipe bad pointer", pipe_bad_pointer},
    {"no memory in a call", no_memory_in_a_call},
};

int main(int argc, char **argv) {
  static const struct suite suite = {
      .banner = "lazytests starting",
      .start = "running test %s\n",
      .ok = "test %s: OK\n",
      .failed = "test %s: FAILED\n",
      .passed = "ALL TESTS PASSED",
      .tests = tests,
      .count = COUNT_OF(tests),
  };
  return run_tests(&suite, argc, argv);
}
