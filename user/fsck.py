#!/usr/bin/env python3
"""fsck.py: says whether a disk image is consistent.  It never writes to it.

usage: fsck.py [--replay] [--quiet] IMAGE

Superblock, log, inodes, directories, link counts and the free bitmap are read
and compared; each thing that is wrong is one line.  --replay first applies, in
memory, a transaction that the log holds: what the next boot would do.  Inodes
that no name leads to but which are not free (orphans: files that were removed
while open when the machine stopped) are wrong as well: a boot reclaims them.

Exit status: 0 consistent, 1 not, 2 when the image cannot be read.
"""

import argparse
import struct
import sys

sys.dont_write_bytecode = True  # all output belongs in build/
import mkfs  # noqa: E402  (the layout is its business)
from mkfs import BLOCK, DEVICE, DIR, DIRECT, FILE, INDIRECT, MAX_BLOCKS, ROOT  # noqa: E402


class Inode:
    def __init__(self, number, fields):
        self.number = number
        self.kind, self.major, self.minor, self.links, self.size = fields[:5]
        self.addrs = fields[5:]
        self.blocks = []    # of its contents, in order; 0 where one is missing
        self.names = 0      # directory entries that lead here, "." and ".." aside
        self.children = 0   # directories in this directory
        self.parent = 0     # of a directory: where it was found

    def __str__(self):
        return 'inode %d' % self.number


class Checker:
    """Reads an image; `problems` tells what is wrong with it, one string each."""

    def __init__(self, image):
        self.image = bytearray(image)
        self.problems = []
        self.inodes = {}    # those in use, by number
        self.owner = {}     # block: who uses it
        self.sb = None

    def wrong(self, format_, *args):
        self.problems.append(format_ % args)

    def block(self, number):
        return self.image[number * BLOCK:(number + 1) * BLOCK]

    def words(self, number):
        return struct.unpack('<%dI' % INDIRECT, self.block(number))

    def check(self, replay):
        if not self.superblock():
            return
        self.log(replay)
        if not self.superblock():  # the log may have held a new one
            return
        self.read_inodes()
        self.walk()
        self.links()
        self.bitmap()

    # ---- superblock and log ----------------------------------------------

    def superblock(self):
        """Reads it -> whether the rest can be read by it."""
        before = len(self.problems)
        if len(self.image) < 2 * BLOCK:
            self.wrong('superblock: the image has only %d bytes', len(self.image))
            return False
        values = dict(zip(mkfs.SUPER_FIELDS, mkfs.SUPER.unpack_from(self.image, BLOCK)))
        if values['magic'] != mkfs.MAGIC:
            self.wrong('superblock: magic is %#x, not %#x', values['magic'], mkfs.MAGIC)
            return False
        self.sb = sb = type('Superblock', (), values)
        if sb.size * BLOCK > len(self.image):
            self.wrong('superblock: %d blocks, but the image ends after %d', sb.size,
                       len(self.image) // BLOCK)
        self.data_start = sb.size - sb.nblocks
        inode_end = sb.inodestart + mkfs.blocks_for(sb.ninodes, mkfs.INODES_PER_BLOCK)
        bitmap_end = sb.bmapstart + mkfs.blocks_for(sb.size, mkfs.BITS_PER_BLOCK)
        areas = [(1, 2, 'superblock'), (sb.logstart, sb.logstart + sb.nlog, 'log'),
                 (sb.inodestart, inode_end, 'inodes'), (sb.bmapstart, bitmap_end, 'bitmap'),
                 (self.data_start, sb.size, 'data')]
        for (_, end, name), (start, _, following) in zip(areas, areas[1:]):
            if start < end:
                self.wrong('superblock: %s begin at block %d, before the end of the %s at %d',
                           following, start, name, end)
        if sb.ninodes <= ROOT or sb.nblocks == 0 or sb.nlog < mkfs.LOG_MIN:
            self.wrong('superblock: %d inodes, %d data blocks, %d log blocks', sb.ninodes,
                       sb.nblocks, sb.nlog)
        return len(self.problems) == before

    def log(self, replay):
        sb = self.sb
        count, *homes = self.words(sb.logstart)
        if count == 0:
            return
        if count > min(sb.nlog - 1, len(homes)):
            self.wrong('log: %d blocks committed, room for %d', count, sb.nlog - 1)
            return
        homes = homes[:count]
        for home in homes:
            if not sb.inodestart <= home < sb.size:
                self.wrong('log: a block is to go to %d, which is outside the file system', home)
                return
        if len(set(homes)) != count:
            self.wrong('log: a block is to be written twice')
        if not replay:
            self.wrong('log: a transaction of %d blocks is committed, but not yet applied', count)
            return
        for i, home in enumerate(homes):
            self.image[home * BLOCK:(home + 1) * BLOCK] = self.block(sb.logstart + 1 + i)

    # ---- inodes ----------------------------------------------------------

    def read_inodes(self):
        for number in range(ROOT, min(self.sb.ninodes, mkfs.INODE_MAX)):  # no others have names
            at = self.sb.inodestart * BLOCK + number * mkfs.INODE.size
            inode = Inode(number, mkfs.INODE.unpack_from(self.image, at))
            if inode.kind == 0:
                continue
            if inode.kind not in (DIR, FILE, DEVICE):
                self.wrong('%s: type %d does not exist', inode, inode.kind)
                continue
            self.inodes[number] = inode
            if inode.kind != DEVICE:
                self.contents(inode)

    def contents(self, inode):
        if inode.size > MAX_BLOCKS * BLOCK:
            self.wrong('%s: %d bytes, a file holds at most %d', inode, inode.size,
                       MAX_BLOCKS * BLOCK)
            return
        numbers = list(inode.addrs[:DIRECT])
        table = inode.addrs[DIRECT]
        if table and self.claim(table, inode):
            numbers += self.words(table)
        else:
            numbers += [0] * INDIRECT
        needed = mkfs.blocks_for(inode.size, BLOCK)
        for i, number in enumerate(numbers):
            # A write that failed may have left a block behind the end.
            good = number != 0 and self.claim(number, inode)
            if i < needed:
                inode.blocks.append(number if good else 0)
                if number == 0:
                    self.wrong('%s: block %d of its %d is missing', inode, i, needed)

    def claim(self, number, inode):
        """Notes that inode uses the block -> whether it may."""
        if not self.data_start <= number < self.sb.size:
            self.wrong('%s: block %d is outside the data area', inode, number)
            return False
        if number in self.owner:
            self.wrong('%s: block %d is used twice, by %s too', inode, number,
                       self.owner[number])
            return False
        self.owner[number] = inode
        return True

    # ---- directories -----------------------------------------------------

    def walk(self):
        root = self.inodes.get(ROOT)
        if root is None or root.kind != DIR:
            self.wrong('inode %d: the root is not a directory', ROOT)
            return
        root.parent = ROOT
        todo = [root]
        while todo:
            todo += self.directory(todo.pop())

    def directory(self, folder):
        """Reads a directory -> the directories in it that were not seen before."""
        if folder.size % mkfs.ENTRY.size:
            self.wrong('%s: a directory of %d bytes ends inside an entry', folder, folder.size)
        data = b''.join(bytes(self.block(b)) if b else bytes(BLOCK) for b in folder.blocks)
        entries, found = {}, []
        for at in range(0, min(folder.size, len(data)) - mkfs.ENTRY.size + 1, mkfs.ENTRY.size):
            number, raw = mkfs.ENTRY.unpack_from(data, at)
            name = raw.partition(b'\0')[0]
            if number == 0:
                continue
            if not name or b'/' in name:
                self.wrong('%s: %r is not a name', folder, name)
            elif name in entries:
                self.wrong('%s: the name %r is there twice', folder, name.decode('latin-1'))
            entries[name] = number
            if name not in (b'.', b'..'):
                found += self.entry(folder, name, number)
        self.dots(folder, entries)
        return found

    def entry(self, folder, name, number):
        inode = self.inodes.get(number)
        if inode is None:
            self.wrong('%s: %r leads to inode %d, which is not in use', folder,
                       name.decode('latin-1'), number)
            return []
        inode.names += 1
        if inode.kind != DIR:
            return []
        if inode.parent:
            self.wrong('%s: a directory with two names, in inodes %d and %d', inode,
                       inode.parent, folder.number)
            return []
        inode.parent = folder.number
        folder.children += 1
        return [inode]

    def dots(self, folder, entries):
        for name, target in ((b'.', folder.number), (b'..', folder.parent)):
            if name not in entries:
                self.wrong('%s: has no %r', folder, name.decode())
            elif entries[name] != target:
                self.wrong('%s: %r leads to inode %d, not to %d', folder, name.decode(),
                           entries[name], target)

    def links(self):
        for inode in self.inodes.values():
            if inode.number == ROOT:
                expected = 1 + inode.children
            elif inode.names == 0 and inode.links == 0:
                self.wrong('%s: an orphan, without a name and not free (%d bytes)', inode,
                           inode.size)
                continue
            elif inode.names == 0:
                self.wrong('%s: in no directory, but its link count is %d', inode, inode.links)
                continue
            else:
                expected = inode.names + inode.children
            if inode.links != expected:
                self.wrong('%s: its link count is %d, but there are %d', inode, inode.links,
                           expected)

    # ---- bitmap ----------------------------------------------------------

    def bitmap(self):
        start = self.sb.bmapstart * BLOCK
        for number in range(self.sb.size):
            marked = self.image[start + number // 8] >> number % 8 & 1
            used = number < self.data_start or number in self.owner
            if used and not marked:
                self.wrong('bitmap: block %d is marked free, but used by %s', number,
                           self.owner.get(number, 'the file system'))
            elif marked and not used:
                self.wrong('bitmap: block %d is marked used, but nobody uses it', number)

    def summary(self):
        folders = sum(inode.kind == DIR for inode in self.inodes.values())
        return '%d directories, %d other inodes, %d of %d data blocks in use' % (
            folders, len(self.inodes) - folders, len(self.owner), self.sb.nblocks)


def check(image, replay=False):
    """-> what is wrong with the image (bytes), one string each."""
    checker = Checker(image)
    checker.check(replay)
    return checker.problems


def main():
    parser = argparse.ArgumentParser(description='checks a disk image')
    parser.add_argument('--replay', action='store_true', help='apply a committed log first')
    parser.add_argument('--quiet', action='store_true', help='no output, the status tells')
    parser.add_argument('image')
    args = parser.parse_args()
    try:
        checker = Checker(mkfs.read_whole(args.image))
    except OSError as error:
        print('fsck.py: %s' % error, file=sys.stderr)
        sys.exit(2)
    checker.check(args.replay)
    if not args.quiet:
        for problem in checker.problems:
            print(problem)
        print('%s: %s' % (args.image, '%d problems' % len(checker.problems)
                          if checker.problems else 'consistent: ' + checker.summary()))
    sys.exit(1 if checker.problems else 0)


if __name__ == '__main__':
    main()
