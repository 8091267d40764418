"""Tests of the crash test's own parts: parser, states, judge, history.  No guest is booted.

A small journal commits two groups here, correctly and with each mistake that the judge is
there for; its writes and flushes are put in the form in which QEMU records them.
"""

import random
import struct
import unittest

import crashhistory
import crashstates
import mkfs
import writelog
from mkfs import BLOCK

FLUSH, FUA = 1, 2
FIRST_ADDRESS = 5  # among the fields of an inode


def entry(sector, data=b'', flags=0):
    head = struct.pack('<QQQQ', sector, len(data) // 512, flags, 0)
    return head.ljust(512, b'\0') + data


SUPER = struct.pack('<QQQI', 0x6a736677736872, 1, 0, 512).ljust(512, b'\0')


class Journal:
    """Makes the log of a disk on which groups of blocks commit."""

    def __init__(self, log=31, blocks=20):
        files = [('file', bytes(blocks * BLOCK))]
        self.image = mkfs.make_image(files, size=800, inodes=64, log=log)
        self.layout = mkfs.Layout(800, 64, log)
        inode = self.layout.inode_start * BLOCK + (mkfs.ROOT + 1) * mkfs.INODE.size
        self.first = mkfs.INODE.unpack_from(self.image, inode)[FIRST_ADDRESS]
        self.log = SUPER
        self.leave_out = None   # the flush of each commit that is forgotten, from 0
        self.skip_data = False  # the last block does not reach the log
        self.unlisted = False   # nor is it in the header

    def write(self, block, data):
        self.log += entry(block * 2, data)

    def flush(self, number):
        if number != self.leave_out:
            self.log += entry(0, flags=FLUSH)

    def commit(self, homes, byte):
        """Fills blocks of the file with a byte."""
        data = bytes([byte]) * BLOCK
        for i in range(len(homes) - (self.skip_data or self.unlisted)):
            self.write(self.layout.log_start + 1 + i, data)
        self.flush(0)
        listed = homes[:len(homes) - self.unlisted]
        header = struct.pack('<%dI' % (1 + len(listed)), len(listed), *listed)
        self.write(self.layout.log_start, header.ljust(BLOCK, b'\0'))
        self.flush(1)
        for home in homes:
            self.write(home, data)
        self.flush(2)
        self.write(self.layout.log_start, bytes(BLOCK))
        self.flush(3)

    def judge(self, witness=None):
        epochs = writelog.epochs(writelog.parse(self.log))
        return crashstates.Judge(self.image, random.Random(1), witness=witness).run(epochs)

    def two_groups(self, count=5):
        self.commit(list(range(self.first, self.first + count)), 0x11)
        self.commit(list(range(self.first + 2, self.first + 2 + count)), 0x22)
        return self.judge()


class WriteLog(unittest.TestCase):
    def test_entries_and_epochs(self):
        log = SUPER + entry(4, b'a' * 1024) + entry(8, b'b' * 512) + entry(0, flags=FLUSH)
        log += entry(0, flags=FLUSH) + entry(4, b'c' * 512)
        entries = writelog.parse(log)
        self.assertEqual([(e.offset, len(e.data)) for e in entries],
                         [(2048, 1024), (4096, 512), (0, 0), (0, 0), (2048, 512)])
        first, last = writelog.epochs(entries)
        self.assertEqual(first.writes, [(2048, b'a' * 1024), (4096, b'b' * 512)])
        self.assertEqual(log[first.end:first.end + 512], entry(0, flags=FLUSH))
        self.assertEqual((last.writes, last.end), ([(2048, b'c' * 512)], float('inf')))
        image = bytearray(8192)
        writelog.apply(image, entries)
        self.assertEqual(image[2048:4608], b'c' * 512 + b'a' * 512 + bytes(1024) + b'b' * 512)

    def test_cut_off(self):
        log = SUPER + entry(4, b'a' * 1024) + entry(8, b'b' * 512)
        for end in (len(log) - 1, len(log) - 512, len(log) - 1000):
            self.assertEqual(len(writelog.parse(log[:end])), 1)
        self.assertEqual(writelog.parse(b''), [])

    def test_refused(self):
        for log in (bytes(512), SUPER + entry(4, b'a' * 512, FUA), SUPER + entry(4, flags=0)):
            with self.assertRaises(writelog.Error):
                writelog.parse(log)


class States(unittest.TestCase):
    def test_choices(self):
        chosen = {bits for bits, _ in crashstates.choices([(0, 2), (2, 1)], None, 0)}
        self.assertEqual(chosen, {0b000, 0b001, 0b011, 0b111, 0b100, 0b110, 0b101})

    def test_sectors_are_exchanged(self):
        disk = bytearray(b'.' * 4 * 512)
        writes = [(0, b'a' * 1024), (512, b'b' * 1024)]  # both write the second sector
        sectors = crashstates.Sectors(disk, writes)
        for bits, expected in ((0b0001, 'a...'), (0b0111, 'ab..'), (0b0011, 'aa..'),
                               (0b1100, '.bb.'), (0b1011, 'aab.'), (0, '....')):
            sectors.hold(bits)
            self.assertEqual(bytes(disk[::512]).decode(), expected)
        self.assertEqual(sectors.through(0), 0b0011)

    def test_sample_has_each_sort(self):
        sample = crashstates.Sample(random.Random(1), 2)
        for number in range(100):
            sample.offer(number == 50, lambda number=number: number)
        self.assertEqual(len(sample.some(9)), 3)
        self.assertIn(50, sample.some(2))


class Judgement(unittest.TestCase):
    def test_commits(self):
        judge = Journal().two_groups()
        self.assertEqual((judge.problems, judge.groups, judge.largest), ([], 2, 5))
        self.assertGreater(judge.states, 100)

    def test_each_flush_is_needed(self):
        for number in range(4):
            with self.subTest(flush=number):
                journal = Journal()
                journal.leave_out = number
                self.assertIn('is not as after group', journal.two_groups().problems[0])

    def test_header_of_two_sectors(self):
        self.assertEqual(Journal(log=200, blocks=200).two_groups(127).problems, [])
        self.assertIn('(header), up to sector 1',
                      Journal(log=200, blocks=200).two_groups(150).problems[0])

    def test_data_outside_the_log(self):
        for mistake in ('skip_data', 'unlisted'):
            with self.subTest(mistake):
                journal = Journal()
                setattr(journal, mistake, True)
                self.assertTrue(journal.two_groups().problems)

    def test_header_without_sense(self):
        journal = Journal()
        journal.commit([journal.first, 3], 0x11)
        self.assertIn('makes no sense', journal.judge().problems[0])

    def test_inconsistent_group(self):
        journal = Journal()
        journal.commit([journal.layout.bitmap_start], 0)
        self.assertIn('after group 1: bitmap', journal.judge().problems[0])

    def test_recovery_is_cut(self):
        whole = Journal()
        whole.two_groups()
        for flush, wrong in ((True, False), (False, True)):
            crashed = bytearray(whole.image)
            group = {whole.first: b'x' * BLOCK, whole.first + 1: b'y' * BLOCK}
            start = whole.layout.log_start
            struct.pack_into('<3I', crashed, start * BLOCK, 2, *group)
            journal = Journal()
            for i, (home, data) in enumerate(group.items(), 1):
                crashstates.put_block(crashed, start + i, data)
                journal.write(home, data)
            journal.leave_out = None if flush else 0
            journal.flush(0)
            journal.write(start, bytes(BLOCK))
            journal.image = crashed
            self.assertEqual(bool(journal.judge().problems), wrong)


class Witness(unittest.TestCase):
    """A process creates a file, links it, and writes 3000 bytes in two operations."""

    LINES = ['#0 0 open cr/0a 513 = 3\n', '#0 1 link cr/0a cr/0b = 0\n',
             '#0 2 link cr/0a cr/0b = -1\n', '#0 3 write 3 3000 7 = 3000\n', '#0 4 unlink cr/0a = 0\n']
    DATA = crashhistory.PATTERN[7:3007]

    def history(self):
        return crashhistory.History([(line, 100 * (i + 1)) for i, line in enumerate(self.LINES)])

    def test_steps(self):
        history = self.history()
        half = self.DATA[:2000]
        for names in ({}, {'cr/0a': (5, b'')}, {'cr/0a': (5, b''), 'cr/0b': (5, b'')},
                      {'cr/0a': (5, half), 'cr/0b': (5, half)},
                      {'cr/0a': (5, self.DATA), 'cr/0b': (5, self.DATA)}):
            self.assertEqual(history.take({'0': names}), [])
        self.assertEqual(len(history.unfinished()), 1)
        self.assertEqual(history.take({'0': {'cr/0b': (5, self.DATA)}}), [])
        self.assertEqual(history.unfinished(), [])

    def test_wrong_views(self):
        for names in ({'cr/0a': (5, b'x')}, {'cr/0b': (5, b'')},
                      {'cr/0a': (5, b''), 'cr/0b': (5, b'')}):  # two steps at once
            history = self.history()
            history.take({'0': {}})
            self.assertEqual(len(history.take({'0': names})), 1)
        history = self.history()
        history.take({'0': {'cr/0a': (5, b'')}})
        self.assertEqual(len(history.take({'0': {'cr/0a': (5, b''), 'cr/0b': (6, b'')}})), 1)

    def test_what_had_returned(self):
        history = self.history()
        history.take({'0': {}})
        history.take({'0': {'cr/0a': (5, b'')}})
        self.assertEqual(history.lacks(0, 99), '')
        self.assertIn('open cr/0a 513 = 3 had returned', history.lacks(0, 100))
        self.assertEqual(history.lacks(1, 199), '')
        self.assertIn('link cr/0a cr/0b = 0 had returned', history.lacks(1, 200))

    def test_missing_line(self):
        del self.LINES[1:2]
        try:
            with self.assertRaises(crashhistory.Error):
                self.history()
        finally:
            self.LINES.insert(1, '#0 1 link cr/0a cr/0b = 0\n')

    def test_line_in_two_pieces(self):
        history = crashhistory.History([('#0 0 mkdir cr', 10), ('/0 = 0\n', 20)])
        self.assertEqual(history.processes['0'].told, [20])


if __name__ == '__main__':
    unittest.main()
