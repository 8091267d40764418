"""Tests of growthrun.py and memoryrun.py; hosttest.py runs them.  No guest is booted."""

import struct
import unittest

import growthrun
import memoryrun
from measure import MeasureError


def tiny_elf(symbols):
    """An ELF file of nothing but a symbol table: {name: bytes}."""
    names, entries = b'\0', bytes(memoryrun.SYMBOL.size)
    for name, size in symbols.items():
        entries += memoryrun.SYMBOL.pack(len(names), 0, 0, 0, 0, size)
        names += name.encode() + b'\0'
    head = bytearray(64)
    table = memoryrun.SECTION.pack(0, 2, 0, 0, 64, len(entries), 1, 0, 8, 24)
    strings = memoryrun.SECTION.pack(0, 3, 0, 0, 64 + len(entries), len(names), 0, 0, 1, 0)
    struct.pack_into('<Q', head, 40, 64 + len(entries) + len(names))
    struct.pack_into('<HH', head, 58, memoryrun.SECTION.size, 2)
    return bytes(head) + entries + names + table + strings


class Growth(unittest.TestCase):
    LINE = [(x, 100 + 7 * x) for x in (1, 2, 4, 8, 1024)]

    def test_a_line_is_found(self):
        line = growthrun.straight_line(self.LINE)
        self.assertAlmostEqual(line.base, 100, places=6)
        self.assertAlmostEqual(line.slope, 7, places=6)
        self.assertLess(line.off, 1e-9)

    def test_the_worst_point_is_told(self):
        line = growthrun.straight_line([(x, 1000) for x in range(9)] + [(9, 1100)])
        self.assertGreater(line.off, 0.04)
        self.assertLess(line.off, 0.1)
        middle, off = growthrun.flatness([(0, 90), (1, 100), (2, 110)])
        self.assertEqual((middle, off), (100, 0.1))

    def test_one_x_alone(self):
        self.assertEqual(growthrun.straight_line([(3, 5), (3, 5)]), (5, 0, 0))

    def test_verdicts(self):
        def words(values):
            return growthrun.verdict(list(enumerate(values)), 'MiB')
        self.assertEqual(words([1000] * 5), 'flat within 0.0 %: 1,000')
        self.assertEqual(words([1000, 1015]), 'flat within 0.7 %: 1,008')
        self.assertEqual(words([1000, 3000, 5000]),
                         'straight line: 1,000 + 2,000.0 a MiB, off by at most 0.0 %')
        self.assertTrue(words([5000, 3000, 1000]).startswith('straight line: 5,000 - 2,000.0 a'))
        for curved in ([x * x for x in range(1, 9)], [1000, 1000, 1000, 2000]):
            self.assertTrue(words(curved).startswith('neither flat nor straight: '), words(curved))

    def test_points(self):
        rows = {'%s @ 2048' % name: [1, 2, 3] for name in growthrun.CURVES}
        points = growthrun.curves_of(rows)
        self.assertEqual(points['fork call'], [(2048, 2)])
        self.assertEqual(points['exit, sparse'], [(2, 2)])
        with self.assertRaises(MeasureError):
            growthrun.curves_of({'fork call @ 1': [1, 1, 1]})
        with self.assertRaises(MeasureError):
            growthrun.curves_of(dict(rows, **{'unknown @ 1': [1, 1, 1]}))

    def test_each_curve_is_in_a_plot(self):
        points = {name: [(1, 10), (2.5, 20)] for name in growthrun.CURVES}
        scripts = [growthrun.script_for(plot, points, 'x.png') for plot in growthrun.PLOTS]
        told = [line for text in scripts for line in text.splitlines() if line.startswith('plot ')]
        self.assertEqual(' '.join(told).count("title '"), len(growthrun.CURVES))
        self.assertTrue(all('\n1 10\n2.5 20\nend\n' in text for text in scripts))


class Memory(unittest.TestCase):
    HEADER = '#define NPROC        512    // processes\n#define NCPU  64\n'

    def test_symbols(self):
        sizes = {'procs': 249856, 'x': 8}
        self.assertEqual({name: memoryrun.symbol_sizes(tiny_elf(sizes))[name] for name in sizes},
                         sizes)

    def test_limit(self):
        self.assertEqual(memoryrun.limit('NPROC', self.HEADER), 512)
        with self.assertRaises(MeasureError):
            memoryrun.limit('NFILE', self.HEADER)

    def guest(self, mib):
        """What the program says at so many MiB: 5 MiB are fixed, 16 bytes a page, 1 % cache."""
        ram = mib << 20
        rows = {'RAM handed out': ram - (5 << 20) - ram // 4096 * 16,
                'RAM in use at the start, other': 4096 + ram // 128,
                '64 MiB of heap, page tables': 131072, 'a thread, all': 8192,
                'a forked child, all': 25190, 'processes at most, count': 512, 'free then': 8192}
        return {name: [value] * 3 for name, value in rows.items()}

    def table(self):
        return memoryrun.table(self.guest(memoryrun.SMALL), self.guest(memoryrun.LARGE),
                               self.guest(memoryrun.LEAST), {'procs': 512 * 488}, 512)

    def test_table(self):
        rows = self.table()
        for name, value in {'a process, struct proc': 488, 'a page of RAM, struct page': 16,
                            'a page of RAM, buffer cache': 32, 'a thread, all': 8192,
                            'a resident page, page tables': 8,
                            'processes at most in 32 MiB, count': 512}.items():
            self.assertEqual(rows[name], [value] * 3, name)

    def test_limits_are_told(self):
        rows = self.table()
        self.assertEqual(memoryrun.words_on_most(rows, 512), 'NPROC, which is 512')
        self.assertEqual(memoryrun.words_on_most(rows, 600), 'RAM')

    def test_complaints(self):
        accepted, rows = self.table(), self.table()
        self.assertEqual(list(memoryrun.complaints(rows, accepted)), [])
        rows['free then'] = [0] * 3
        rows['a forked child, all'] = [25189] * 3
        self.assertEqual(list(memoryrun.complaints(rows, accepted)), [])
        rows['a forked child, all'] = [25191] * 3
        rows['processes at most in 32 MiB, count'] = [511] * 3
        del rows['a thread, all']
        self.assertEqual(len(list(memoryrun.complaints(rows, accepted))), 3)
