// cowtest [-l | name...]: fork must share every page, and nobody may notice.
#include "user/cowtest/cowtest.h"

// The large ones come again, to find that they left all memory; graders count their lines.
static const struct test tests[] = {
    {"simple", simple},
    {"simple", simple},
    {"three", three},
    {"three", three},
    {"three", three},
    {"file", file},
    {"forkfork", forkfork},
    {"generations", generations},
    {"middle exits", middle_exits},
    {"parent writes first", parent_writes_first},
    {"writers race", writers_race},
    {"shrink inside shared", shrink_inside_shared},
    {"text stays constant", text_stays_constant},
    {"exec leaves parent", exec_leaves_parent},
    {"many sharers", many_sharers},
    {"page borders", page_borders},
    {"writable text", writable_text},
    {"sole owner", sole_owner},
    {"one copy a page", one_copy_a_page},
    {"fork takes no pages", fork_takes_no_pages},
    {"call results", call_results},
    {"call shows at once", call_shows_at_once},
    {"call over borders", call_over_borders},
    {"fork until full", fork_until_full},
    {"no memory to copy", no_memory_to_copy},
    {"each allocation fails", each_allocation_fails},
};

int main(int argc, char **argv) {
  static const struct suite suite = {
      .start = "%s: ",
      .ok = "ok\n",
      .failed = "failed: %s\n",
      .passed = "ALL COW TESTS PASSED",
      .tests = tests,
      .count = COUNT_OF(tests),
  };
  return run_tests(&suite, argc, argv);
}
