#!/usr/bin/env python3
"""replaycheck.py: a disk whose log holds a committed group is booted.

usage: replaycheck.py [options of the guest]

The group renames a program in the root directory and changes a block of data.  The
guest must show the new name, and leave a disk with both blocks in place and an
empty log.  The last line is `N passed, N failed`.
"""

import argparse
import os
import struct
import sys
import tempfile

sys.dont_write_bytecode = True  # all output belongs in build/
TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(TOP, 'user'))
import fsck  # noqa: E402
import guest as guests  # noqa: E402
from mkfs import BLOCK, ENTRY, INODE, ROOT, SUPER, SUPER_FIELDS, read_whole  # noqa: E402

OLD, NEW = b'zombie', b'arisen'
FIRST_ADDRESS = 5  # among the fields of an inode


class Wrong(Exception):
    """What was expected, and what was seen."""


def block_of(image, number):
    return bytearray(image[number * BLOCK:(number + 1) * BLOCK])


def first_block(image, sb, inode):
    at = sb['inodestart'] * BLOCK + inode * INODE.size
    return INODE.unpack_from(image, at)[FIRST_ADDRESS]


def make_group(image, sb):
    """-> {block: what the log holds for it}."""
    listing = first_block(image, sb, ROOT)
    directory = block_of(image, listing)
    for at in range(0, BLOCK, ENTRY.size):
        inode, name = ENTRY.unpack_from(directory, at)
        if name.rstrip(b'\0') == OLD:
            break
    else:
        raise Wrong('the first block of the root directory does not list %s' % OLD)
    ENTRY.pack_into(directory, at, inode, NEW)
    contents = first_block(image, sb, inode)
    data = block_of(image, contents)
    data[:4] = b'none'
    return {listing: bytes(directory), contents: bytes(data)}


def commit(image, sb, group):
    """Puts the group into the log."""
    start = sb['logstart'] * BLOCK
    struct.pack_into('<%dI' % (1 + len(group)), image, start, len(group), *group)
    for i, contents in enumerate(group.values(), 1):
        image[start + i * BLOCK:start + (i + 1) * BLOCK] = contents


def boot_and_look(args, path):
    with guests.from_arguments(args, image=path, in_place=True) as machine:
        machine.boot()
        names = machine.run('ls').split()
        machine.poweroff()
    if NEW.decode() not in names or OLD.decode() in names:
        raise Wrong('ls does not show what the log holds')


def check(args):
    image = bytearray(read_whole(args.image))
    sb = dict(zip(SUPER_FIELDS, SUPER.unpack_from(image, BLOCK)))
    group = make_group(image, sb)
    commit(image, sb, group)
    with tempfile.TemporaryDirectory(prefix='replay-') as folder:
        path = os.path.join(folder, 'fs.img')
        with open(path, 'wb') as out:
            out.write(image)
        boot_and_look(args, path)
        left = read_whole(path)
    # The directory has got names of devices since; the other block nobody touched.
    number, contents = list(group.items())[-1]
    if block_of(left, number) != contents:
        raise Wrong('block %d is not what the log held' % number)
    if struct.unpack_from('<I', left, sb['logstart'] * BLOCK)[0] != 0:
        raise Wrong('the log is not empty')
    problems = fsck.check(left)
    if problems:
        raise Wrong('; '.join(problems))


def main():
    parser = argparse.ArgumentParser(description='boots a disk with a group in its log')
    guests.add_arguments(parser)
    args = parser.parse_args()
    guests.terminate_politely()
    try:
        check(args)
    except (Wrong, guests.GuestError) as error:
        sys.exit('FAILED: %s\n0 passed, 1 failed' % error)
    print('1 passed, 0 failed')


if __name__ == '__main__':
    main()
