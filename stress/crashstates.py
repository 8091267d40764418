"""The states of a disk that a power cut can leave, and whether each is one that it may.

A disk with a cache keeps any of the sectors written since the last flush.  For each epoch
(the writes between two flushes) a Judge makes every sector prefix, the loss of each write
and of each sector, each write as the only one that survived, and random subsets.  What
the kernel's recovery makes of such a state must equal, in each byte outside the log, the
disk after a whole number of groups, with all those whose header had been flushed.

The disk after each group must be consistent, and a witness (crashhistory.py) says which
calls had returned by then.  Sectors of one state are exchanged for those of the next in
place, and only blocks in which the two disks can differ are compared: a state takes
0.1 ms.  Owns what a crash may leave; knows nothing of QEMU.
"""

import itertools
import struct

import fsck
from mkfs import BLOCK, INDIRECT, SUPER, SUPER_FIELDS
from writelog import SECTOR

ENOUGH = 10  # wrong states, after which no more are looked at


def block_of(image, number):
    return bytes(image[number * BLOCK:(number + 1) * BLOCK])


def put_block(image, number, contents):
    image[number * BLOCK:(number + 1) * BLOCK] = contents


class Log:
    """Where the log of a disk is, and what a header means to recovery."""

    def __init__(self, image):
        sb = dict(zip(SUPER_FIELDS, SUPER.unpack_from(image, BLOCK)))
        self.start, self.blocks, self.size = sb['logstart'], sb['nlog'], sb['size']
        self.first_home = sb['inodestart']
        self._known = {}

    def homes(self, header):
        """-> {home: block of the log}; None for a header that recovery refuses."""
        if header not in self._known:
            self._known[header] = self._read(header)
        return self._known[header]

    def _read(self, header):
        count, *homes = struct.unpack('<%dI' % INDIRECT, header)
        if count > min(self.blocks - 1, len(homes)):
            return None
        homes = homes[:count]
        if not all(self.first_home <= home < self.size for home in homes):
            return None
        return {home: self.start + 1 + i for i, home in enumerate(homes)}

    def has(self, block):
        return self.start <= block < self.start + self.blocks

    def recover(self, image):
        """-> what recovery makes of a disk, as a bytearray."""
        result = bytearray(image)
        for home, at in self.homes(block_of(image, self.start)).items():
            put_block(result, home, block_of(image, at))
        put_block(result, self.start, bytes(BLOCK))
        return result


def choices(spans, chance, samples):
    """The states of an epoch -> (set of its sectors as bits, which state that is).

    A span is the first sector of a write, counted within the epoch, and how many it has.
    """
    total = sum(count for _, count in spans)
    everything = (1 << total) - 1
    yield 0, 'no write'
    for number, (first, count) in enumerate(spans):
        one = ((1 << count) - 1) << first
        for upto in range(1, count + 1):
            yield (1 << first + upto) - 1, 'up to sector %d of write %d' % (upto, number)
        yield everything ^ one, 'all but write %d' % number
        yield one, 'only write %d' % number
    for sector in range(total):
        yield everything ^ 1 << sector, 'all but sector %d' % sector
    for number in range(samples):
        bits = chance.getrandbits(total)
        if number % 2:
            bits |= chance.getrandbits(total)
        yield bits, 'sectors %#x' % bits


class Sectors:
    """The writes of an epoch, and a disk (a bytearray) that holds any subset of them."""

    def __init__(self, disk, writes):
        self.disk, self.held = disk, 0
        self.spans, self.offsets, self.pieces = [], [], []
        for offset, data in writes:
            self.spans.append((len(self.pieces), len(data) // SECTOR))
            for at in range(0, len(data), SECTOR):
                self.offsets.append(offset + at)
                self.pieces.append(data[at:at + SECTOR])
        self.before = {at: bytes(disk[at:at + SECTOR]) for at in self.offsets}
        self.writers = {}
        for number, at in enumerate(self.offsets):
            self.writers.setdefault(at, []).append(number)

    @property
    def everything(self):
        return (1 << len(self.pieces)) - 1

    def through(self, write):
        """All sectors up to the end of a write."""
        first, count = self.spans[write]
        return (1 << first + count) - 1

    def hold(self, bits):
        """Makes the disk hold these of the sectors, and of the rest what was before."""
        changed = bits ^ self.held
        while changed:
            number = (changed & -changed).bit_length() - 1
            changed &= changed - 1
            at = self.offsets[number]
            writers = self.writers[at]
            piece = self.pieces[number] if bits >> number & 1 else self.before[at]
            if len(writers) > 1:  # the last write to a sector counts
                kept = [other for other in writers if bits >> other & 1]
                piece = self.pieces[kept[-1]] if kept else self.before[at]
            self.disk[at:at + SECTOR] = piece
        self.held = bits


class Sample:
    """A few of the states that were right, of each sort, to be booted."""

    def __init__(self, chance, most):
        self.chance, self.most = chance, most
        self.sorts = {}  # sort: [how many were seen, the chosen]

    def offer(self, sort, make):
        known = self.sorts.setdefault(sort, [0, []])
        known[0] += 1
        if len(known[1]) < self.most:
            known[1].append(make())
        else:
            place = self.chance.randrange(known[0])
            if place < self.most:
                known[1][place] = make()

    def some(self, most):
        """-> at most so many of the chosen, of each sort the same number where it has them."""
        rounds = itertools.zip_longest(*(chosen for _, chosen in self.sorts.values()))
        return [one for each in rounds for one in each if one is not None][:most]


class NoWitness:
    """Of a disk nothing is known but that it must be consistent."""

    def observe(self, checker):
        """Takes in the disk after one more group -> what no history explains."""
        return []

    def lacks(self, group, at):
        """-> which call that had returned when the log ended at `at` the disk after that
        group lacks, in words; '' for none."""
        return ''


class Judge:
    """Goes through the epochs of a disk; `problems` tells what is wrong, one string each."""

    def __init__(self, image, chance, samples=8, witness=None, sample=None):
        self.disk = bytearray(image)  # every epoch so far, all of it written
        self.chance, self.samples, self.sample = chance, samples, sample
        self.witness = witness or NoWitness()
        self.problems, self.states, self.groups = [], 0, 0
        self.wrong_image = None       # the first state that was wrong
        self.largest = 0              # blocks of a group
        self.log = Log(image)
        self.newest = self.log.recover(image)  # the disk after the last group
        self.orphaned = set()         # groups after which there are orphans
        self._observe()
        self.apart = self._differing(range(self.log.first_home, self.log.size))

    def run(self, epochs):
        for epoch in epochs:
            self.epoch(epoch)
            if len(self.problems) >= ENOUGH:
                break
        return self

    def epoch(self, epoch):
        sectors = Sectors(self.disk, epoch.writes)
        allowed = self._commits(epoch, sectors)
        blocks = {at // BLOCK for at in sectors.offsets if not self.log.has(at // BLOCK)}
        blocks.update(self.apart, *(old for _, old, _ in allowed))
        seen = set()
        for bits, which in choices(sectors.spans, self.chance, self.samples):
            if bits in seen:
                continue
            seen.add(bits)
            sectors.hold(bits)
            wrong = self._verdict(blocks, allowed)
            if wrong:
                self._complain('epoch %d (%s), %s: %s'
                               % (epoch.number, self._places(epoch), which, wrong))
                if len(self.problems) >= ENOUGH:
                    break
        self.states += len(seen)
        sectors.hold(sectors.everything)
        self.apart = self._differing(blocks)

    # ---- groups ----------------------------------------------------------

    def _commits(self, epoch, sectors):
        """Takes in the groups whose headers the epoch writes -> which disks may be left:
        (group, {block: what it held after that group}, what it lacks), the last one first.
        """
        passed = [(self.groups, {})]
        for number, (offset, data) in enumerate(epoch.writes):
            if offset <= self.log.start * BLOCK < offset + len(data):
                sectors.hold(sectors.through(number))
                homes = self.log.homes(block_of(self.disk, self.log.start))
                if homes is None:
                    self._complain('epoch %d: a header that makes no sense' % epoch.number)
                elif homes:
                    for _, old in passed:
                        for home in homes:
                            old.setdefault(home, block_of(self.newest, home))
                    self._commit(homes)
                    passed.append((self.groups, {}))
        sectors.hold(0)
        return [(group, old, self.witness.lacks(group, epoch.end))
                for group, old in reversed(passed)]

    def _commit(self, homes):
        for home, at in homes.items():
            put_block(self.newest, home, block_of(self.disk, at))
        self.groups += 1
        self.largest = max(self.largest, len(homes))
        self._observe()

    def _observe(self):
        checker = fsck.Checker(self.newest)
        checker.check(replay=False)
        for problem in checker.problems:
            if 'an orphan' in problem:
                self.orphaned.add(self.groups)
            else:
                self._complain('after group %d: %s' % (self.groups, problem))
        for problem in self.witness.observe(checker):
            self._complain('after group %d: %s' % (self.groups, problem))

    # ---- states ----------------------------------------------------------

    def _verdict(self, blocks, allowed):
        """-> what is wrong with the state that the disk is in."""
        homes = self.log.homes(block_of(self.disk, self.log.start))
        if homes is None:
            return 'recovery refuses the header'
        if homes:
            blocks = blocks.union(homes)
        wrong = []
        for group, old, lack in allowed:
            different = self._first_difference(blocks, homes, old)
            if different is None:
                if lack:
                    return lack
                if self.sample:
                    self.sample.offer((bool(homes), group in self.orphaned),
                                      lambda: bytes(self.disk))
                return ''
            wrong.append('block %d is not as after group %d' % (different, group))
        return ', '.join(wrong)

    def _first_difference(self, blocks, homes, old):
        disk, newest = self.disk, self.newest
        for block in blocks:
            at = homes.get(block, block) * BLOCK
            here = disk[at:at + BLOCK]
            if block in old:
                if here != old[block]:
                    return block
            elif here != newest[block * BLOCK:(block + 1) * BLOCK]:
                return block
        return None

    def _differing(self, blocks):
        return {block for block in blocks
                if block_of(self.disk, block) != block_of(self.newest, block)}

    # ---- words -----------------------------------------------------------

    def _places(self, epoch):
        places = []
        for offset, data in epoch.writes:
            block = offset // BLOCK
            place = ('header' if block == self.log.start else
                     'log' if self.log.has(block) else 'home')
            if places[-1:] != [place]:
                places.append(place)
        return ', '.join(places)

    def _complain(self, problem):
        if self.wrong_image is None:
            self.wrong_image = bytes(self.disk)
        self.problems.append(problem)
