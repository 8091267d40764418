#!/usr/bin/env python3
"""disktest.py: disks that are unusual, large or corrupt are booted.

usage: disktest.py [--only WORD] [options of the guest]

Each case below makes an image, boots it in a small guest and says what must be seen there
and on the disk that is left.  The last line is `N passed, N failed`.
"""

import argparse
import os
import re
import struct
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True  # all output belongs in build/
TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(TOP, 'user'))
import fsck  # noqa: E402
import guest as guests  # noqa: E402
import mkfs  # noqa: E402
from diskimage import ADDR, KIND, LINKS, SIZE, TABLE, Image  # noqa: E402, F401
from mkfs import BLOCK, DIR, FILE, ROOT, read_whole  # noqa: E402, F401

PROGRAMS = 'init sh ls cat echo rm mkdir ln poweroff disktest usertests'.split()
CASES = []


class Wrong(Exception):
    """What was expected, and what was seen."""


def case(function):
    CASES.append(function)
    return function


def expect(good, words, *details):
    if not good:
        raise Wrong(words % details if details else words)


class Bench:
    """The guest that the options describe, and a folder for its disks."""

    def __init__(self, args, folder):
        self.args, self.path = args, os.path.join(folder, 'fs.img')

    def image(self, files=(), **layout):
        programs = [(name, read_whole('build/user/' + name)) for name in PROGRAMS]
        return Image(mkfs.make_image(programs + list(files), **layout))

    def write(self, image):
        with open(self.path, 'wb') as out:
            out.write(image.data)

    def boot(self, *commands, extra='', limit=60):
        """Boots the disk and types the commands -> (all that was said, their statuses)."""
        extra = ('%s %s' % (self.args.extra, extra)).strip()
        with guests.Guest(self.args.kernel, self.path, cpus=self.args.cpus, mem=self.args.mem,
                          append='watchdog=15 ' + self.args.append, extra=extra,
                          qemu=self.args.qemu, in_place=True) as machine:
            machine.boot()
            statuses = [machine.command(line, limit=limit)[1] for line in commands]
            machine.poweroff()
            return machine.log, statuses

    def left(self):
        return Image(read_whole(self.path))

    def consistent(self):
        problems = fsck.check(read_whole(self.path))
        expect(not problems, 'the disk that is left: %s', '; '.join(problems))


# ---- the log ---------------------------------------------------------------

@case
def a_commit_fits_one_sector(bench):
    bench.write(bench.image(size=4000, log=256))
    _, statuses = bench.boot('disktest commits')
    expect(statuses == [0], 'disktest ended with %s', statuses)
    image = bench.left()
    header = struct.unpack_from('<256I', image.data, image.super()['logstart'] * BLOCK)
    # The list of the largest group stays behind the count, which is 0.
    listed = sum(word != 0 for word in header)
    expect(listed > 100, 'no group was large: %d blocks', listed)
    expect(listed <= 127, 'a group of %d blocks was listed', listed)
    bench.consistent()


@case
def recovery_reads_long_headers_and_tells(bench):
    image = bench.image(size=4000, log=256)
    log, homes = image.super()['logstart'], range(3700, 3900)
    image.word(log, 0, len(homes))
    for i, home in enumerate(homes):
        image.word(log, 1 + i, home)
        image.word(log + 1 + i, 7, home)
    bench.write(image)
    said, _ = bench.boot()
    told = len(re.findall(r'^recovering tail', said, re.M))
    expect(told == len(homes), '%d lines tell of %d blocks', told, len(homes))
    image = bench.left()
    for home in homes:
        expect(image.word(home, 7) == home, 'block %d did not come home', home)
    expect(image.word(log, 0) == 0, 'the log is not empty')
    bench.consistent()


@case
def reclaiming_tells(bench):
    image = bench.image()
    numbers = [image.add(ROOT, None, FILE, links=0) for _ in range(3)]
    bench.write(image)
    said, _ = bench.boot()
    told = re.findall(r'^ireclaim: orphaned inode (\d+)', said, re.M)
    expect(told == [str(n) for n in numbers], 'told were %s, not %s', told, numbers)
    bench.consistent()


# ---- corrupt disks ---------------------------------------------------------

@case
def two_directories_that_list_each_other(bench):
    image = bench.image()
    a, b = image.mkdir(ROOT, b'A'), image.mkdir(ROOT, b'B')
    for folder in (a, b):
        image.mkdir(folder, b'keep')
    image.enter(a, b'b', b)
    image.enter(b, b'a', a)
    bench.write(image)
    _, statuses = bench.boot('disktest loop', 'ls A')
    expect(statuses == [0, 0], 'the commands ended with %s', statuses)


# ---- running them ----------------------------------------------------------

def perform(function, args):
    """-> whether the case passed; tells."""
    name = function.__name__.replace('_', ' ')
    try:
        with tempfile.TemporaryDirectory(prefix='disk-') as folder:
            function(Bench(args, folder))
    except (Wrong, guests.GuestError) as error:
        print('FAIL %s: %s' % (name, error), flush=True)
        return False
    print('ok   %s' % name, flush=True)
    return True


def main():
    parser = argparse.ArgumentParser(description='boots unusual disks')
    guests.add_arguments(parser)
    parser.set_defaults(cpus=2)
    parser.add_argument('--only', default='', metavar='WORD', help='cases with it in their name')
    args = parser.parse_args()
    guests.terminate_politely()
    passed = [perform(function, args) for function in CASES
              if args.only in function.__name__.replace('_', ' ')]
    print('%d passed, %d failed' % (sum(passed), len(passed) - sum(passed)))
    sys.exit(0 if passed and all(passed) else 1)


if __name__ == '__main__':
    main()
