#!/usr/bin/env python3
"""mkfs.py: makes the disk image.

usage: mkfs.py [--size BLOCKS] [--inodes N] [--log BLOCKS] [--link NEW=OLD] IMAGE [FILE ...]

Each FILE stands in the root directory under its own base name; --link gives
one a second name.  The same files make the same image, byte for byte.  The
format is that of user/include/kernel/fs.h, from which all numbers are read; this file
owns its layout for everything on the host that reads or writes an image (fsck.py uses
it too).
"""

import argparse
import os
import re
import struct
import sys

HEADERS = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'include/kernel')


def constants(*names):
    """-> what the headers #define as a number, by name."""
    found = {}
    for name in names:
        with open(os.path.join(HEADERS, name), encoding='utf-8') as file:
            found.update((key, int(value, 0)) for key, value in
                         re.findall(r'^#define +(\w+) +(\w+)(?: *//.*)?$', file.read(), re.M)
                         if value[0].isdigit())
    return found


LIMITS = constants('fs.h', 'param.h', 'stat.h')
BLOCK = LIMITS['BSIZE']
MAGIC = LIMITS['FSMAGIC']
ROOT = LIMITS['ROOTINO']
DIRECT, INDIRECT = LIMITS['NDIRECT'], BLOCK // 4
MAX_BLOCKS = DIRECT + INDIRECT
NAME_MAX = LIMITS['DIRSIZ']
DIR, FILE, DEVICE = LIMITS['T_DIR'], LIMITS['T_FILE'], LIMITS['T_DEVICE']
LINK_MAX = LIMITS['LINK_MAX']
INODE_MAX = LIMITS['MAXINODES']
LOG_MIN = LIMITS['MAXOPBLOCKS'] + 1  # the header, and one operation
LOG_MAX = BLOCK // 4                 # the header, and what its block can list

SUPER = struct.Struct('<8I')
INODE = struct.Struct('<4hI%dI' % (DIRECT + 1))
ENTRY = struct.Struct('<H%ds' % NAME_MAX)
INODES_PER_BLOCK = BLOCK // INODE.size
BITS_PER_BLOCK = BLOCK * 8

SUPER_FIELDS = ('magic', 'size', 'nblocks', 'ninodes', 'nlog', 'logstart', 'inodestart',
                'bmapstart')


class Error(Exception):
    """An image of that kind cannot be made."""


def blocks_for(things, per_block):
    return (things + per_block - 1) // per_block


class Layout:
    """Where each part of an image begins, in blocks."""

    def __init__(self, size, inodes, log):
        if not ROOT < inodes <= INODE_MAX:
            raise Error('the number of inodes must be 2 to %d' % INODE_MAX)
        if not LOG_MIN <= log <= LOG_MAX:
            raise Error('the log must have %d to %d blocks' % (LOG_MIN, LOG_MAX))
        if size >= 1 << 32:
            raise Error('a disk has at most %d blocks' % ((1 << 32) - 1))
        self.size, self.inodes, self.log = size, inodes, log
        self.log_start = 2
        self.inode_start = self.log_start + log
        self.bitmap_start = self.inode_start + blocks_for(inodes, INODES_PER_BLOCK)
        self.data_start = self.bitmap_start + blocks_for(size, BITS_PER_BLOCK)
        if self.data_start >= size:
            raise Error('%d blocks are too few: %d are taken before the first data block'
                        % (size, self.data_start))

    def superblock(self):
        return SUPER.pack(MAGIC, self.size, self.size - self.data_start, self.inodes, self.log,
                          self.log_start, self.inode_start, self.bitmap_start)


class Builder:
    """An image in the making: a root directory with files in it."""

    def __init__(self, layout):
        self.layout = layout
        self.data = bytearray(layout.size * BLOCK)
        self.next_block = layout.data_start
        self.next_inode = ROOT + 1
        self.names = {b'.': ROOT, b'..': ROOT}
        self.links = {}    # inode: names
        self.files = {}    # inode: contents

    def add(self, name, contents):
        if self.next_inode >= self.layout.inodes:
            raise Error('%s: no inode left of %d' % (name, self.layout.inodes))
        if len(contents) > MAX_BLOCKS * BLOCK:
            raise Error('%s: %d bytes, a file holds at most %d'
                        % (name, len(contents), MAX_BLOCKS * BLOCK))
        self.enter(name, self.next_inode)
        self.files[self.next_inode] = contents
        self.next_inode += 1

    def enter(self, name, inode):
        raw = os.fsencode(name)
        if not raw or len(raw) > NAME_MAX or b'/' in raw or b'\0' in raw:
            raise Error('%r: a name has 1 to %d bytes, without a slash' % (name, NAME_MAX))
        if raw in self.names:
            raise Error('%s: there are two of that name' % name)
        if self.links.get(inode, 0) == LINK_MAX:
            raise Error('%s: a file has at most %d names' % (name, LINK_MAX))
        self.names[raw] = inode
        self.links[inode] = self.links.get(inode, 0) + 1

    def link(self, new, old):
        inode = self.names.get(os.fsencode(old))
        if inode not in self.files:
            raise Error('%s: no file of that name to link %s to' % (old, new))
        self.enter(new, inode)

    def store(self, contents):
        """Puts contents into free blocks -> the 13 addresses of an inode."""
        count = blocks_for(len(contents), BLOCK)
        indirect = count > DIRECT
        if self.next_block + count + indirect > self.layout.size:
            raise Error('the disk is full: %d blocks are too few' % self.layout.size)
        first, self.next_block = self.next_block, self.next_block + count + indirect
        self.data[first * BLOCK:first * BLOCK + len(contents)] = contents
        numbers = list(range(first, first + count))
        addrs = numbers[:DIRECT] + [0] * (DIRECT - min(count, DIRECT))
        if indirect:
            table = first + count
            struct.pack_into('<%dI' % (count - DIRECT), self.data, table * BLOCK,
                             *numbers[DIRECT:])
        return addrs + [table if indirect else 0]

    def put_inode(self, number, kind, links, contents):
        at = self.layout.inode_start * BLOCK + number * INODE.size
        INODE.pack_into(self.data, at, kind, 0, 0, links, len(contents), *self.store(contents))

    def finish(self):
        """-> the image."""
        entries = b''.join(ENTRY.pack(inode, name) for name, inode in self.names.items())
        if len(entries) > MAX_BLOCKS * BLOCK:
            raise Error('too many files for one directory')
        # The link count of a directory is its parent's entry: "." does not count.
        self.put_inode(ROOT, DIR, 1, entries)
        for inode, contents in self.files.items():
            self.put_inode(inode, FILE, self.links[inode], contents)
        self.data[BLOCK:BLOCK + SUPER.size] = self.layout.superblock()
        bitmap = self.layout.bitmap_start * BLOCK
        for block in range(self.next_block):
            self.data[bitmap + block // 8] |= 1 << block % 8
        return bytes(self.data)


def make_image(files, size=LIMITS['FSSIZE'], inodes=LIMITS['FSINODES'], log=LIMITS['LOGSIZE'],
               links=()):
    """files: (name, contents) pairs, links: (new, old) names -> the image's bytes."""
    builder = Builder(Layout(size, inodes, log))
    for name, contents in files:
        builder.add(name, contents)
    for new, old in links:
        builder.link(new, old)
    return builder.finish()


def write_whole(path, contents):
    """Replaces the file at path in one step: never half an image under its name."""
    part = path + '.part'
    with open(part, 'wb') as out:
        out.write(contents)
    os.replace(part, path)


def read_whole(path):
    with open(path, 'rb') as file:
        return file.read()


def main():
    parser = argparse.ArgumentParser(description='makes a disk image')
    parser.add_argument('--size', type=int, default=LIMITS['FSSIZE'],
                        help='blocks of %d bytes' % BLOCK)
    parser.add_argument('--inodes', type=int, default=LIMITS['FSINODES'])
    parser.add_argument('--log', type=int, default=LIMITS['LOGSIZE'],
                        help='blocks, the header included')
    parser.add_argument('--link', action='append', default=[], metavar='NEW=OLD')
    parser.add_argument('image')
    parser.add_argument('files', nargs='*')
    args = parser.parse_args()
    try:
        links = [tuple(link.split('=', 1)) for link in args.link]
        if any(len(link) != 2 for link in links):
            raise Error('--link takes NEW=OLD')
        files = [(os.path.basename(path), read_whole(path)) for path in args.files]
        write_whole(args.image, make_image(files, args.size, args.inodes, args.log, links))
    except (Error, OSError) as error:
        sys.exit('mkfs.py: %s' % error)


if __name__ == '__main__':
    main()
