// The tests in the order in which they run.  TEST(name): a function test_name.

// create.c: beginning and joining
TEST(create_and_join)
TEST(raw_clone)
TEST(clone_refuses)
TEST(table_full)
TEST(no_memory_to_clone)
TEST(each_allocation_fails)
TEST(join_refuses)
TEST(join_own_only)
TEST(join_inherited)
TEST(wait_and_join)
TEST(many_threads)

// files.c: descriptors and the current directory, which all threads share
TEST(shared_descriptors)
TEST(shared_directory)
TEST(close_while_reading)
TEST(close_while_writing)
TEST(descriptors_churn)

// locks.c: what the library makes of futexes
TEST(mutual_exclusion)
TEST(trylock)
TEST(bounded_buffer)
TEST(broadcast)
TEST(malloc_in_threads)
TEST(printf_in_threads)
TEST(fork_with_heap)

// course.c: programs in the forms that courses teach
TEST(course_library)
TEST(course_clone)

// futex.c: the call itself
TEST(futex_refuses)
TEST(futex_counts)
TEST(futex_order)
TEST(futex_ping_pong)
TEST(futex_fresh_page)
TEST(futex_over_fork)
TEST(futex_unmapped)
TEST(futex_killed)
TEST(futex_two_processes)

// ending.c: how a process with threads ends
TEST(exit_ends_all)
TEST(fault_ends_all)
TEST(return_to_nowhere)
TEST(kill_leader)
TEST(kill_thread)
TEST(kill_oneself)
TEST(kill_ended_thread)
TEST(all_exit_at_once)
TEST(churn_and_end)

// fork.c: processes made by threads
TEST(fork_in_thread)
TEST(any_thread_waits)
TEST(child_outlives_thread)
TEST(forks_in_parallel)
TEST(wait_beside_bad_wait)

// exec.c: a new program in the place of all threads
TEST(exec_from_leader)
TEST(exec_from_thread)
TEST(exec_keeps_descriptors)
TEST(exec_twice)
TEST(exec_fails)
TEST(exec_against_exit)

// share.c: faults of several threads at once
TEST(disjoint_faults)
TEST(same_page_once)
TEST(copies_keep_writes)
TEST(copy_shows_in_order)
TEST(consistent_cut)

// layout.c: a break that moves under other threads
TEST(shrink_kills_reader)
TEST(shrink_under_copies)
TEST(shrink_under_files)
TEST(sbrk_in_parallel)
TEST(sbrk_up_and_down)

// pins.c: buffers of system calls that wait
TEST(read_over_fork)
TEST(write_over_fork)
TEST(cut_beside_buffer)
TEST(read_over_short_shrink)
TEST(read_over_shrink)
TEST(write_over_shrink)
TEST(string_race)
TEST(open_beside_slow_memory)

// pages.c: pages that are not ready, under every pointer
TEST(pages_not_ready)
TEST(pages_among_threads)
