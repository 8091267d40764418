"""Tests of neighbourrun.py; hosttest.py runs them.  No guest is booted."""

import os
import re
import unittest

import neighbourrun as run

TOP = run.TOP
SAID = """neighbour: kills on 4 harts, q = 3
getpid          129       2138        129   10004587 bounds        387  360025464, 24 times, 0 failed
getpid          129       2138        130   10004588 bounds        387  360025464, 25 times, 0 failed
open           2481       7104       2481  360085249 bounds       7443  360085248, 26 times, 0 failed
neighbour: open against kills: the worst is over its bound
fork           8992      25444       9065   40027208 bounds  720026976 1080305328, 39 times, 2 failed
read           2373       5363          0          0 bounds       7119  120032178, 0 times, 0 failed
....create    15412      18956      15412   20019666 bounds      46236  360227472, 3072 times, 0 failed
neighbour failed
"""


def row(median=10, worst=100, times=5, failed=0):
    return run.Row(10, 20, median, worst, 30, 300, times, failed)


class Neighbour(unittest.TestCase):
    def case(self, rows, against='kills', ends=()):
        case = run.Case(against, 4, 'turn')
        case.rows, case.ends = rows, list(ends)
        return case

    def test_output_is_read(self):
        rows = run.parse(SAID)
        self.assertEqual(sorted(rows), ['fork', 'getpid', 'open', 'read'])
        self.assertEqual(rows['getpid'].median, 130)
        self.assertEqual([rows['fork'].alone, rows['fork'].worst, rows['fork'].worst_bound,
                          rows['fork'].failed], [8992, 40027208, 1080305328, 2])
        self.assertFalse(rows['read'].ended)

    def test_each_way_to_be_wrong(self):
        self.assertEqual(row().wrong(False), '')
        self.assertEqual(row(median=30, worst=300).wrong(False), '')
        self.assertEqual(row(median=31).wrong(False), 'median 31, bound 30')
        self.assertEqual(row(worst=301).wrong(False), 'worst 301, bound 300')
        self.assertEqual(row(failed=2).wrong(False), '2 calls failed')
        self.assertEqual(row(failed=2).wrong(True), '')
        self.assertEqual(row(times=0).wrong(True), 'did not end')

    def test_each_figure_has_its_median(self):
        runs = [{'open': row(worst=n, times=n)} for n in (9, 1, 5, 7, 3)]
        middle = run.of_many(runs)['open']
        self.assertEqual((middle.worst, middle.times, middle.median), (5, 5, 10))

    def test_what_did_not_end_is_longer_than_all(self):
        ended, lost = {'open': row(worst=7)}, {'open': row(times=0)}
        self.assertEqual(run.of_many([ended] * 3 + [lost, {}])['open'].worst, 7)
        slow = {'open': row(worst=299)}
        self.assertEqual(run.of_many([ended, slow, slow, lost, {}])['open'].worst, 299)
        self.assertNotIn('open', run.of_many([ended] * 2 + [lost, {}, {}]))
        self.assertEqual(run.of_many([]), {})

    def test_missing_rows_are_failures(self):
        rows = {name: row() for name in run.OPERATIONS}
        self.assertEqual(list(self.case(rows).wrong()), [])
        del rows['pipe']
        self.assertEqual(list(self.case(rows, ends=['panic: hart 1']).wrong()),
                         ['kills, 4 harts, in turn: pipe: did not end (panic: hart 1)'])
        self.assertEqual(len(list(self.case({}).wrong())), len(run.OPERATIONS))
        del rows['fork']
        rows['pipe'] = row(failed=9)
        self.assertEqual(list(self.case(rows, 'memory').wrong()), [])

    def test_ends(self):
        self.assertEqual(run.end_of('x\nneighbour done\n', 0), '')
        self.assertEqual(run.end_of('x\nneighbour failed\n', 1), '')
        self.assertEqual(run.end_of('x\n', 3), 'status 3')
        self.assertEqual(run.end_of('x\n', None), 'no end within the limit')
        self.assertEqual(run.end_of('panic: hart 0: why\n at\n', 1), 'panic: hart 0: why')

    def test_table(self):
        rows = {name: row() for name in run.OPERATIONS}
        rows['open'] = row(times=0)
        del rows['create']
        table = run.table([self.case(rows, ends=['panic: hart 1'])], 'turn')
        self.assertEqual(len(table), 1 + len(run.OPERATIONS))
        cells = {line[1]: line[2:] for line in table[1:]}
        self.assertEqual(cells['getpid'], ['10', '10', '100', '0.0', '300'])
        self.assertEqual(cells['open'], ['10', '-', 'panic', '-', '300'])
        self.assertEqual(cells['create'], ['-', '-', 'panic', '-', '-'])

    def test_what_is_run(self):
        def names(*options):
            return [(c.against, c.harts, c.terminal) for c in run.wanted(run.arguments(options))]
        self.assertEqual(len(names()), 3 * (len(run.AGAINST) + 2 * len(run.PRINTERS)))
        self.assertEqual(names('--harts', '2', '--against', 'kills'), [('kills', 2, 'turn')])
        self.assertEqual({harts for _, harts, _ in names('--quick')}, {4})
        self.assertEqual({terminal for *_, terminal in names('--quick')}, set(run.LIMIT))

    def test_names_are_those_of_the_program(self):
        def names_in(file, start):
            with open(os.path.join(TOP, 'stress/neighbour', file)) as source:
                text = source.read()
            text = text[text.index(start):]
            return re.findall(r'\{"(\w+)", ', text[:text.index('};')])
        self.assertEqual(names_in('adversary.c', 'adversaries[] ='), run.AGAINST)
        self.assertEqual(names_in('victim.c', 'operations[] ='), run.OPERATIONS)


if __name__ == '__main__':
    unittest.main()
