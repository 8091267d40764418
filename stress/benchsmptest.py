"""Tests of benchsmp.py; hosttest.py runs them.  No guest is booted, no plugin built."""

import unittest

import benchsmp

REPORT = """window 30
hart 0 operations 4 instructions 400 amo 8 sc 4 sc-failed 1 fence 2 fence.i 2 sfence.vma 0 pause 0
hart 1 operations 6 instructions 610 amo 8 sc 0 sc-failed 0 fence 4 fence.i 0 sfence.vma 5 pause 2
line 80001040 ffffffc080001040 4 0 0:1:2 1:1:0 at ffffffc080000010:4
line 80001000 ffffffc080001000 29 0 0:5:6 1:7:0 at ffffffc080000004:9 ffffffc080000012:20
line 90000000 ffffffc090000000 5 0 0:1:1 1:1:1 at ffffffc080000100:5
line 90000040 3fc0 30 1 0:1:1 1:1:1 at 1000:30
window 0
hart 0 operations 0 instructions 5 amo 0 sc 0
"""
NM = """ffffffc080000000 0000000000000010 T first
ffffffc080000010 0000000000000010 t second
ffffffc080000020 T unsized
ffffffc080001000 0000000000000008 b word
ffffffc080001010 0000000000000070 D array
"""


class BenchSmp(unittest.TestCase):
    """What is made of the counting plugin's report."""

    def setUp(self):
        self.window, self.empty = benchsmp.parse(REPORT)
        self.symbols = benchsmp.Symbols(NM)

    def test_figures(self):
        self.assertEqual(self.empty.operations, 0)
        self.assertEqual(benchsmp.figures_of(self.window), {
            'operations': 10, 'instructions': 101, 'atomics': 2.0, 'sc failed': 0.1, 'fences': 0.8,
            'sfence': 0.5, 'spins': 0.2, 'changes': 30, 'lines': 2, 'moves': 3.8})

    def test_contended_lines(self):
        found = benchsmp.contended(self.window)
        self.assertEqual([line.moves for line in found], [29, 5])  # a user's is none
        self.assertEqual([line.name(self.symbols) for line in found], ['word, array', 'allocated'])
        self.assertEqual(found[0].functions(self.symbols), ['second', 'first'])
        self.assertEqual(benchsmp.line_table(self.window, self.symbols, 1)[1:],
                         [['29', '12', '6', '2', 'word, array', 'second, first']])

    def test_symbols(self):
        names = [self.symbols.function(pc) for pc in (0xffffffc08000000f, 0xffffffc080000020, 64)]
        self.assertEqual(names, ['first', '0xffffffc080000020', 'user'])
        self.assertEqual(self.symbols.objects(0xffffffc080001040), ['array+0x30'])
        self.assertEqual(self.symbols.objects(0xffffffc080001080), [])

    def test_tables(self):
        figures = {'call, 2': benchsmp.figures_of(self.window)}
        self.assertEqual(benchsmp.full_table(figures)[1][:4], ['call', '2', '10', '101'])
        self.assertEqual(benchsmp.short_table(figures, ['call'], [2, 4])[1],
                         ['call', '101', '-', '2.0', '0.8', '-', '-'])
