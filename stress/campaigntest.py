"""Tests of stress/campaign and its parts; hosttest.py runs them with its own.

No guest is booted: output that guests once gave is read, runs are ordered and counted.
"""

import collections
import os
import runpy
import tempfile
import types
import unittest

import runs
import tables

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

SAID = """stress: seed 3, 5 seconds, 12 workers of 780 frames
usertrap: heap: not a storm
heap: 130065 operations, 6 lives, 4 killed
lazy-storm: 5 operations, 7 lives, 5 killed
free frames: 15607 before, 15600 after
13 passed, 1 failed
"""


def every_run(programs=('mix', 'a', 'b'), seeds=4):
    return [runs.Run(program, build, cpus, mem, seed) for program in programs
            for build in ('default', 'debug') for cpus in (1, 2, 4, 8)
            for mem in ('64M', '1G') for seed in range(seeds)]


def record_of(run, **more):
    return dict(run._asdict(), **dict({'kernel': 'k', 'failure': '', 'seconds': 60.0, 'lost': None,
                                       'storms': {}, 'log': '', 'repeat': ''}, **more))


class Campaign(unittest.TestCase):
    """What is run, in which order, and what is made of it."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.book_path = os.path.join(folder.name, 'runs.jsonl')
        self.program = types.SimpleNamespace(
            **runpy.run_path(os.path.join(TOP, 'stress/campaign')))

    def test_every_run_once_in_the_same_order(self):
        order = runs.interleaved(every_run(), 1)
        self.assertEqual(sorted(order), sorted(every_run()))
        self.assertEqual(order, runs.interleaved(every_run(), 1))
        self.assertNotEqual(order, runs.interleaved(every_run(), 2))

    def test_any_beginning_has_all_values_evenly(self):
        order = runs.interleaved(every_run(), 1)
        for length in (24, 48, 96):
            for axis in range(5):
                values = collections.Counter(run[axis] for run in order[:length])
                self.assertEqual(len(values), len({run[axis] for run in order}))
                self.assertLessEqual(max(values.values()) - min(values.values()), 3)
        shapes = {(run.cpus, run.mem) for run in order[:12]}
        self.assertEqual(len(shapes), 8)

    def test_passed_is_left_out_failed_on_demand(self):
        order = every_run()
        records = [record_of(order[0]), record_of(order[1], failure='it hung'),
                   record_of(order[2], failure='it hung'), record_of(order[2])]
        self.assertEqual(runs.still_to_run(order, records, False), order[3:])
        self.assertEqual(runs.still_to_run(order, records, True), [order[1]] + order[3:])

    def test_book_survives_a_torn_line(self):
        first, second = every_run()[:2]
        runs.Book(self.book_path).add(record_of(first))
        with open(self.book_path, 'a') as file:
            file.write('{"program": "mi')
        runs.Book(self.book_path).add(record_of(second, kernel='other'))
        book = runs.Book(self.book_path)
        self.assertEqual([runs.run_of(record) for record in book.records], [first, second])
        self.assertEqual(book.of({'default': 'k'}), book.records[:1])
        self.assertEqual(book.newest_kernels(), {'default': 'other'})

    def test_output(self):
        self.assertEqual(runs.read_output(SAID),
                         {'storms': {'heap': [130065, 6, 4], 'lazy-storm': [5, 7, 5]},
                          'lost': 7, 'passed': 13, 'failed': 1})
        self.assertEqual(runs.read_output('ALL TESTS PASSED\n'),
                         {'storms': {}, 'lost': None, 'passed': 0, 'failed': 0})
        self.assertEqual(runs.storm_names('heap\nlazystorm: growth\n'), ['heap', 'lazystorm'])

    def test_complaints(self):
        self.assertEqual(self.program.complaints('running test fork\ntest fork: FAILED\n'), 'fork')
        self.assertEqual(self.program.complaints('x\na/b.c:5: pid 3: expected x\nb.c:6: y\n'),
                         'a/b.c:5: pid 3: expected x')
        self.assertEqual(self.program.complaints('usertrap: pid 3\n'), '')

    def test_programs_are_filled_in(self):
        args = self.program.arguments(['--programs', 'stress -s {seed} -t {seconds}', 'cowtest',
                                       'cowtest', '--seconds', '7', '--seeds', '2', '--cpus', '4',
                                       '--mem', '64M', '--builds', 'debug'])
        found = self.program.all_runs(args)
        self.assertEqual([run.line for run in found],
                         ['stress -s 1 -t 7', 'stress -s 2 -t 7', 'cowtest', 'cowtest'])

    def test_repeat(self):
        args = self.program.arguments(['--append', 'a=b'])
        run = runs.Run('stress -s {seed}; echo "$?"', 'debug', 4, '64M', 7)
        self.assertEqual(self.program.repeat_command(args, run, 'it hung'),
                         "make run CPUS=4 MEM=64M DEBUG=1 APPEND='a=b seed=7' "
                         "CMD='stress -s 7; echo \"$?\"'")
        self.assertEqual(self.program.quoted('CMD', "cowtest 'many sharers'"),
                         'CMD="cowtest \'many sharers\'"')
        self.assertEqual(self.program.quoted('APPEND', 'a=$'), "APPEND='a=$$'")
        self.assertEqual(self.program.quoted('CMD', "echo '$?'"),
                         "CMD='echo '\"'\"'$?'\"'\"''")
        again = self.program.repeat_command(args, run, 'fsck: block 9 is free')
        self.assertIn('stress/campaign --results build/repeat --fresh --cpus 4 --mem 64M', again)

    def test_tables(self):
        one, two = runs.Run('p|q', 'default', 4, '1G', 1), runs.Run('p|q', 'default', 4, '64M', 1)
        records = [record_of(one, storms={'x': [5, 2, 1], 'y': [6, 0, 0]}, lost=-1),
                   record_of(two, failure='it hung'), record_of(two)]
        self.assertEqual(tables.by_program(records)[1:],
                         [['p|q', 'default', '3', '1', '11', '-1', '180'],
                          ['all', '', '3', '1', '11', '-1', '180']])
        self.assertEqual(tables.by_shape(records), [['CPUS', '64M', '1G'], ['4', '2/1', '1/0']])
        self.assertIn('| p\\|q | default | 3 |', tables.report(records, tables.as_markdown))
        text = tables.report(records, tables.as_text)
        self.assertIn('\nall                  3         1          11 ', text)
        self.assertIn('\n0.05 hours of machine time, default k\n', text)
        tables.report([], tables.as_text)
