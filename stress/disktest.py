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
        self.drive = ''  # more of QEMU's option -drive

    def image(self, files=(), **layout):
        programs = [(name, read_whole('build/user/' + name)) for name in PROGRAMS]
        return Image(mkfs.make_image(programs + list(files), **layout))

    def write(self, image):
        with open(self.path, 'wb') as out:
            out.write(image.data)

    def boot(self, *commands, extra='', limit=60):
        """Boots the disk and types the commands -> (all that was said, their statuses)."""
        extra = ('%s %s' % (self.args.extra, extra)).strip()
        with guests.Guest(self.args.kernel, self.path, drive=self.drive, cpus=self.args.cpus,
                          mem=self.args.mem, append='watchdog=15 ' + self.args.append, extra=extra,
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


@case
def names_of_what_has_no_links(bench):
    image = bench.image([('none', b'x'), ('below', b'y')])
    numbers = [image.find(b'none'), image.find(b'below')]
    image.set_inode(numbers[0], LINKS, 0)
    image.set_inode(numbers[1], LINKS, -5)
    bench.write(image)
    said, statuses = bench.boot('cat none', 'cat below', 'rm none', 'rm below', 'ls')
    expect(statuses == [1, 1, 0, 0, 0], 'the commands ended with %s', statuses)
    expect('ireclaim' not in said, 'what has a name was reclaimed')
    said, _ = bench.boot()
    told = re.findall(r'^ireclaim: orphaned inode (\d+)', said, re.M)
    expect(told == [str(n) for n in numbers], 'told were %s, not %s', told, numbers)
    bench.consistent()


@case
def a_name_whose_inode_is_free(bench):
    image = bench.image()
    image.enter(ROOT, b'gone', image.free_inodes()[-1])
    image.enter(ROOT, b'far', 60000)
    bench.write(image)
    _, statuses = bench.boot('cat gone', 'cat far', 'rm gone')
    expect(statuses == [1, 1, 0], 'the commands ended with %s', statuses)
    bench.left().find(b'far')
    expect(all(name != b'gone' for _, number, name in bench.left().entries(ROOT) if number),
           'the name is still there')


@case
def links_at_their_floor(bench):
    image = bench.image()
    folder = image.mkdir(ROOT, b'A')
    image.mkdir(folder, b'B')
    image.set_inode(folder, LINKS, 1)  # instead of 2
    image.set_inode(ROOT, LINKS, 1)
    bench.write(image)
    _, statuses = bench.boot('rm A/B', 'echo x > A/f', 'rm A/f', 'rm A', 'echo y > f', 'cat f')
    expect(statuses == [0] * 6, 'the commands ended with %s', statuses)
    bench.consistent()


@case
def the_root_as_a_child(bench):
    image = bench.image()
    image.enter(image.mkdir(ROOT, b'A'), b'up', ROOT)
    bench.write(image)
    _, statuses = bench.boot('rm A/up', 'ls A/up/A')
    expect(statuses == [1, 0], 'the commands ended with %s', statuses)


@case
def blocks_of_two_files(bench):
    image = bench.image([('one', bytes(40 * BLOCK)), ('two', b''), ('three', bytes(30 * BLOCK))])
    one, two, three = (image.find(name) for name in (b'one', b'two', b'three'))
    image.put_inode(two, image.inode(one))
    # The third's list of blocks is the first's contents, and lists itself.
    table = image.inode(three)[TABLE]
    image.set_inode(one, ADDR, table)
    image.word(table, 3, table)
    image.word(table, 4, 7)
    bench.write(image)
    _, statuses = bench.boot('cat two > new', 'cat README one > two', 'rm one', 'cat three > new',
                             'rm two', 'rm three', 'echo a > b', 'usertests manywrites')
    expect(statuses[-2:] == [0, 0], 'the commands ended with %s', statuses)


@case
def directories_that_make_no_sense(bench):
    image = bench.image([('file', b'x')])
    odd, large, dots, shared = (image.mkdir(ROOT, name) for name in
                                (b'odd', b'large', b'dots', b'shared'))
    image.set_inode(odd, SIZE, 39)
    image.set_inode(large, SIZE, (mkfs.MAX_BLOCKS + 1) * BLOCK)
    image.name_leads_to(dots, b'.', image.find(b'file'))
    image.name_leads_to(dots, b'..', 65535)
    image.set_inode(shared, ADDR, image.inode(ROOT)[ADDR])
    for number, kind in enumerate((7, -1, 3, 1)):
        image.add(ROOT, b'kind%d' % number, kind)
    image.set_inode(image.find(b'kind2'), 1, -1)
    bench.write(image)
    _, statuses = bench.boot('ls', 'echo x > odd/f', 'cat odd/f', 'rm odd/f', 'ls large',
                             'cat dots/./x', 'ls dots/..', 'rm dots', 'ls shared', 'cat kind0',
                             'cat kind1', 'cat kind2', 'rm kind2', 'rm kind3', 'echo y > z')
    expect(statuses[1:4] == [0] * 3 and statuses[-1] == 0, 'the commands ended with %s', statuses)


# ---- the console -----------------------------------------------------------

def full(image):
    """No block and no inode is free."""
    for number in image.free_inodes():
        image.put_inode(number, [FILE, 0, 0, 1, 0] + [0] * (mkfs.DIRECT + 1))
    try:
        while True:
            image.take_block()
    except ValueError:
        return


def as_file(image):
    image.add(ROOT, b'console', FILE)


def as_folder(image):
    image.mkdir(ROOT, b'console')


def as_other_device(image):
    image.set_inode(image.add(ROOT, b'console', mkfs.DEVICE), 1, 5)


def gives_a_prompt(name, damage, option):
    def boot(bench):
        image = bench.image()
        damage(image)
        bench.write(image)
        bench.drive = option
        said, statuses = bench.boot('echo here', 'cat < /init > /console', 'ls')
        expect(statuses[::2] == [0, 0], 'the commands ended with %s', statuses)
        expect(len(re.findall(r'^here$', said, re.M)) == 1, 'echo was not heard')
        told = len(re.findall(r'^init: /console cannot be used', said, re.M))
        normal = name == 'missing' and not option
        expect(told == (0 if normal else 1), '%d lines tell of it', told)
    boot.__name__ = 'console_%s_%s' % (name, 'read_only' if option else 'writable')
    case(boot)


for _name, _damage in (('missing', lambda image: None), ('a_file', as_file),
                       ('a_folder', as_folder), ('another_device', as_other_device),
                       ('missing_on_a_full_disk', full)):
    for _option in ('', ',readonly=on'):
        gives_a_prompt(_name, _damage, _option)


# ---- large disks -----------------------------------------------------------

class Far:
    """The image with its data at the end of a disk of `size` blocks, as a sparse file."""

    def __init__(self, image, size, **changes):
        old = image.super()
        self.size, self.image = size, image
        self.data_start = old['size'] - old['nblocks']
        self.shift = size - old['size']
        for number in range(ROOT, old['ninodes']):
            fields = image.inode(number)
            if fields[TABLE]:
                for i in range(mkfs.INDIRECT):
                    if image.word(fields[TABLE], i):
                        image.word(fields[TABLE], i, image.word(fields[TABLE], i) + self.shift)
            fields[ADDR:] = [a and a + self.shift for a in fields[ADDR:]]
            image.put_inode(number, fields)
        self.bitmap = old['bmapstart'] + changes.pop('more_inodes', 0)
        bits = ''.join('%d' % (image.data[old['bmapstart'] * BLOCK + b // 8] >> b % 8 & 1)
                       for b in range(self.data_start, old['size']))
        self.bits = bits
        image.set_super(size=size, bmapstart=self.bitmap, **changes)

    def write(self, path):
        with open(path, 'wb') as out:
            out.truncate(self.size * BLOCK)
            out.write(self.image.data[:self.image.inode_at(0) + 512 * mkfs.INODE.size])
            first = self.data_start + self.shift
            at, skip = first // 8, first % 8
            bits = '0' * skip + self.bits
            out.seek(self.bitmap * BLOCK + at)
            out.write(bytes(int(bits[i:i + 8][::-1], 2) for i in range(0, len(bits), 8)))
            out.seek(first * BLOCK)
            out.write(self.image.data[self.data_start * BLOCK:])


@case
def a_disk_of_four_tebibytes(bench):
    far = Far(bench.image(), (1 << 32) - 1)
    far.write(bench.path)
    _, statuses = bench.boot('usertests diskfull bigfile')
    expect(statuses == [0], 'usertests ended with %s', statuses)
    with open(bench.path, 'rb') as disk:
        disk.seek(far.bitmap * BLOCK)
        expect(not any(disk.read(64 * BLOCK)), 'blocks were taken that hold no data')


@case
def more_inodes_than_names(bench):
    ninodes = (1 << 32) - 1
    far = Far(bench.image(), (1 << 32) - 1, ninodes=ninodes, more_inodes=(ninodes >> 4) - 31)
    far.write(bench.path)
    _, statuses = bench.boot('usertests createdelete')
    expect(statuses == [0], 'usertests ended with %s', statuses)


@case
def inodes_that_overlap_the_bitmap_by_a_wrap(bench):
    Far(bench.image(), (1 << 32) - 1, ninodes=(1 << 32) - 1).write(bench.path)
    refused(bench, 'bad superblock')


def refused(bench, words):
    """The disk must be refused with a line that says why."""
    try:
        bench.boot()
    except guests.GuestError as error:
        expect('QEMU ended with status' in str(error), '%s', error)
        expect('cannot mount' in str(error), 'it ended with other words: %s', error)
        return
    raise Wrong('it was mounted: not "%s"' % words)


@case
def a_root_without_links(bench):
    image = bench.image()
    image.set_inode(ROOT, LINKS, 0)
    bench.write(image)
    refused(bench, 'the root directory cannot be used')


@case
def mount_reads_runs_of_inodes(bench):
    bench.write(bench.image(size=12000, inodes=65535))
    trace = bench.path + '.trace'
    bench.boot(extra='-d trace:virtio_blk_handle_read -D ' + trace)
    sb = bench.left().super()
    end = 2 * (sb['size'] - sb['nblocks'])  # sectors
    with open(trace) as lines:
        sectors = [int(n) for n in re.findall(r'sector (\d+)', lines.read())]
    requests = sum(sector < end for sector in sectors)
    expect(len(sectors) > 20, 'the trace tells of %d requests', len(sectors))
    expect(requests <= 150, '%d requests before the first data block', requests)


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
