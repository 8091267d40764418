"""Tests of measure.py and benchrun.py; hosttest.py runs them.  No guest is booted."""

import argparse
import contextlib
import io
import os
import tempfile
import unittest
from unittest import mock

import benchrun
import measure
from measure import TOP


class Measure(unittest.TestCase):
    """What is made of the figures that the guest prints."""

    SAID = """xv6 kernel is booting
instructions                                        min     median        max
getpid                                              149        150       9150
fork, the call, 64 MiB                           405066     405067     405068
a row whose name is longer than its column is wide          1          2          3
one number too few                                    1          2
harts 1 2 3
bench done in  1  2  3 steps
"""
    FIGURES = {'getpid': [149, 150, 9150], 'fork, the call, 64 MiB': [405066, 405067, 405068],
               'a row whose name is longer than its column is wide': [1, 2, 3]}
    ACCEPTED = {'a': [90, 100, 200], 'b': [1, 1, 1]}

    def test_output_is_read(self):
        self.assertEqual(list(measure.parse(self.SAID).items()), list(self.FIGURES.items()))
        self.assertEqual(measure.parse('bench: fork failed\n'), {})

    def complain(self, **changed):
        figures = {**self.ACCEPTED, **changed}
        return list(measure.complaints({k: v for k, v in figures.items() if v}, self.ACCEPTED))

    def test_only_a_higher_median_is_worse(self):
        self.assertEqual(self.complain(), [])
        self.assertEqual(self.complain(a=[900, 105, 900]), [])
        self.assertEqual(self.complain(a=[10, 20, 30]), [])
        self.assertEqual(self.complain(a=[90, 106, 200]),
                         ['a: 106 instructions, 100 were accepted'])
        self.assertEqual(self.complain(b=[1, 2, 2]), ['b: 2 instructions, 1 were accepted'])

    def test_rows_that_come_and_go(self):
        self.assertEqual(self.complain(a=None), ['a: there is no such row any more'])
        self.assertEqual(self.complain(c=[1, 1, 1]), ['c: a row without accepted figures'])
        self.assertEqual(len(self.complain(a=[0, 300, 0], b=None, c=[1, 1, 1])), 3)

    def test_numbers(self):
        self.assertEqual([measure.number(n) for n in (None, 7, 9999999, 12345678)],
                         ['-', '7', '9,999,999', '12.3 M'])

    def test_accepted_figures_are_read_back(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, 'figures.json')
            measure.save(path, self.FIGURES)
            self.assertEqual(list(measure.load(path).items()), list(self.FIGURES.items()))
        accepted = measure.load(os.path.join(TOP, benchrun.FIGURES))
        self.assertEqual(list(measure.complaints(accepted, accepted)), [])

    def test_another_compiler(self):
        with tempfile.TemporaryDirectory() as folder:
            compiler, flags = (os.path.join(folder, name) for name in ('cc', 'flags'))
            with open(flags, 'w') as file:
                file.write(compiler + ' -O2\n')
            for version, allowed in (('12.2.0', 1.05), ('13.1', 1.3), ('1', 1.3)):
                with open(compiler, 'w') as file:
                    file.write('#!/bin/sh\ntest "$1" = -dumpversion && echo %s\n' % version)
                os.chmod(compiler, 0o755)
                with contextlib.redirect_stdout(io.StringIO()) as said:
                    self.assertEqual(measure.allowance(flags), allowed)
                self.assertEqual(version in said.getvalue(), allowed > 1.05)

    def end_of(self, *options, median=100):
        """-> the status of a script that measures so much, and the figures it kept."""
        with tempfile.TemporaryDirectory() as folder:
            accepted = os.path.join(folder, 'accepted.json')
            measure.save(accepted, {'a': [1, 100, 200]})
            before = os.getcwd()
            with mock.patch('sys.argv', ['x', *options]), self.assertRaises(SystemExit) as end, \
                    contextlib.redirect_stdout(io.StringIO()):
                measure.main('x', argparse.ArgumentParser(), accepted,
                             lambda args: {'a': [1, median, 200]}, measure.complaints)
            os.chdir(before)
            return end.exception.code, measure.load(accepted)['a'][1]

    def test_worse_figures_are_a_failure(self):
        self.assertEqual(self.end_of('--check'), (0, 100))
        self.assertEqual(self.end_of('--check', median=106), (1, 100))
        self.assertEqual(self.end_of(median=106), (0, 100))
        self.assertEqual(self.end_of('--accept', median=106), (0, 106))


class Bench(unittest.TestCase):
    def test_ratios(self):
        with contextlib.redirect_stdout(io.StringIO()) as said:
            benchrun.print_ratios({'a': [0, 50, 0], 'c': [0, 7, 0]},
                                  {'a': [90, 100, 200], 'b': [1, 1, 1]}, 'r' * 40)
        rows = [line.split() for line in said.getvalue().splitlines()]
        self.assertEqual(rows, [['instructions,', 'median', 'r' * 12, 'here', 'ratio'],
                                ['a', '100', '50', '0.500'], ['c', '-', '7', '-']])


    def test_peers_have_our_rows(self):
        peers = measure.load(os.path.join(TOP, benchrun.PEERS))
        accepted = measure.load(os.path.join(TOP, benchrun.FIGURES))
        self.assertLessEqual(set(peers['rows']), set(accepted))
