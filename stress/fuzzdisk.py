#!/usr/bin/env python3
"""fuzzdisk.py: boots corrupt disks, many of them.

usage: fuzzdisk.py [--count N] [--seed S] [--keep FOLDER] [options of the guest]

A good image with files and directories of some sizes is damaged in one to four places:
fields of the superblock, of inodes, of entries, numbers in lists of blocks, bits of the
map, a log header that commits something, or bytes anywhere in what is not data.  Each is
booted from RAM with watchdog=15 by the default and by the DEBUG kernel, and told to do a
little of everything.  Whatever the disk says, a boot gives a prompt and does what is typed,
or ends with a line that says why.  Counted as failures are panics, hangs (commands that do
not end), and silent boots (no prompt, and no line that says why not).  Images that fail are
kept.  The last line is `N passed, N failed`.
"""

import argparse
import os
import random
import re
import sys
import tempfile

sys.dont_write_bytecode = True  # all output belongs in build/
import guest as guests  # noqa: E402
from diskimage import ADDR, KIND, LINKS, SIZE, TABLE, Image  # noqa: E402
from mkfs import BLOCK, DIR, ENTRY, INODE, MAX_BLOCKS, ROOT, SUPER_FIELDS  # noqa: E402
from mkfs import make_image, read_whole  # noqa: E402

KERNELS = {'default': 'build/kernel', 'debug': 'build/debug/kernel'}
PROGRAMS = 'init sh ls cat echo rm mkdir ln'.split()
FOLDERS = (b'A', b'B', b'C')
# What is typed.  Nothing of it has to succeed.
COMMANDS = ['ls; ls A B C A/in B/in; cat big A/f0 B/f1 C/f2',
            'echo x > A/new; echo y > new; cat A/new new big > copy',
            'ln big A/link; ln A/f0 B/link; mkdir A/dir; mkdir B/in/dir',
            'rm A/f0 B/f1 C/f2 A/link B/link; rm A/in B/in C/in A/dir A B C',
            'rm big mid; mkdir D; cat README > D/f; cat D/f > E; ls; ls D',
            'rm D/f copy new E; rm D']
LIMIT = 40  # seconds for a line of commands
WHY = re.compile(r'^(cannot |init has ended)', re.M)
NO_SHELL = re.compile(r'^init: cannot (run sh|fork)', re.M)  # said once a second
INTERESTING = (0, 1, 2, 0x7f, 0xff, 0x7fff, 0x8000, 0xffff, 0x10000, 0x7fffffff, 0x80000000,
               0xfffffff0, 0xffffffff)


def good_image():
    files = [(name, read_whole('build/user/' + name)) for name in PROGRAMS]
    files += [('big', bytes(range(256)) * 80), ('mid', bytes(3000)), ('README', b'text\n' * 900)]
    image = Image(make_image(files, size=1000, inodes=96))
    for i, name in enumerate(FOLDERS):
        folder = image.mkdir(ROOT, name)
        image.mkdir(folder, b'in')
        file = image.add(folder, b'f%d' % i, 2)
        image.set_inode(file, ADDR, image.take_block())
        image.set_inode(file, SIZE, 700)
    return image


class Damage:
    """Damages an image, and notes how."""

    def __init__(self, image, chance):
        self.image, self.chance, self.notes = image, chance, []
        self.sb = image.super()
        self.used = [n for n in range(ROOT, self.sb['ninodes']) if image.inode(n)[KIND]]
        self.folders = [n for n in self.used if image.inode(n)[KIND] == DIR]

    def note(self, words, *details):
        self.notes.append(words % details)

    def inode_number(self):
        """Rarely the root or one of the programs: little is to be seen after that."""
        usual = [n for n in self.used if n > 1 + len(PROGRAMS)]
        return self.chance.choice(usual if self.chance.random() < 0.85 else self.used)

    def block_number(self):
        sb = self.sb
        chance = self.chance
        return chance.choice([
            chance.choice(INTERESTING), chance.randrange(sb['size']), sb['size'],
            sb['size'] - sb['nblocks'] + chance.randrange(sb['nblocks']), sb['size'] - 1,
            self.image.inode(chance.choice(self.used))[chance.choice((ADDR, TABLE))]])

    def superblock(self):
        field = self.chance.choice(SUPER_FIELDS)
        value = self.chance.choice([self.chance.choice(INTERESTING),
                                    max(0, self.sb[field] + self.chance.randint(-40, 40))])
        self.image.set_super(**{field: value})
        self.note('%s = %#x', field, value)

    def inode(self):
        number = self.inode_number()
        index = self.chance.choice((KIND, 1, LINKS, LINKS, SIZE, SIZE, ADDR, ADDR + 1, TABLE))
        if index < SIZE:
            value = self.chance.choice((-32768, -1, 0, 0, 1, 2, 3, 4, 32767))
        elif index == SIZE:
            value = self.chance.choice((0, 15, 17, BLOCK, 13 * BLOCK, MAX_BLOCKS * BLOCK,
                                        MAX_BLOCKS * BLOCK + 1, 0x7fffffff, 0xffffffff))
        else:
            value = self.block_number()
        if self.sb == self.image.super():
            self.image.set_inode(number, index, value)
            self.note('inode %d, field %d = %d', number, index, value)

    def entry(self):
        folder = self.chance.choice(self.folders)
        entries = self.image.entries(folder)
        if not entries:
            return
        at, _, name = self.chance.choice(entries)
        number = self.chance.choice([self.chance.choice(self.used), 0, 65535, ROOT,
                                     self.chance.randrange(96), self.chance.choice(self.folders)])
        name = self.chance.choice([name, name, name, b'', b'.', b'..', b'a/b', b'\xff' * 14])
        ENTRY.pack_into(self.image.data, at, number, name)
        self.note('in %d: %r -> %d', folder, name, number)

    def table(self):
        """A number in a list of blocks."""
        tables = [self.image.inode(n)[TABLE] for n in self.used]
        tables = [t for t in tables if 0 < t < self.sb['size']]
        if tables:
            block, index = self.chance.choice(tables), self.chance.randrange(20)
            self.image.word(block, index, self.block_number())
            self.note('block %d, word %d = %d', block, index, self.image.word(block, index))

    def bitmap(self):
        first = self.sb['bmapstart'] * BLOCK
        value = self.chance.choice((0, 0xff, self.chance.randrange(256)))
        start = self.chance.randrange(self.sb['size'] // 8)
        for at in range(start, min(start + self.chance.choice((1, 30)), self.sb['size'] // 8)):
            self.image.data[first + at] = value
        self.note('bitmap from %d = %#x', start, value)

    def log(self):
        start = self.sb['logstart']
        count = self.chance.choice((1, 2, self.sb['nlog'] - 1, self.chance.choice(INTERESTING)))
        self.image.word(start, 0, count)
        for i in range(min(count, 255)):
            self.image.word(start, 1 + i, self.block_number())
        self.note('a log of %d', count)

    def noise(self):
        end = (self.sb['size'] - self.sb['nblocks']) * BLOCK
        for _ in range(self.chance.choice((1, 8))):
            at = self.chance.randrange(BLOCK, end)
            self.image.data[at] = self.chance.randrange(256)
            self.note('byte %#x', at)

    def inode_noise(self):
        at = self.image.inode_at(self.inode_number()) + self.chance.randrange(INODE.size)
        self.image.data[at] ^= 1 << self.chance.randrange(8)
        self.note('a bit of byte %#x', at)

    def do(self):
        kinds = [self.superblock, self.inode, self.inode, self.inode, self.inode, self.entry,
                 self.entry, self.entry, self.table, self.table, self.bitmap, self.log,
                 self.noise, self.inode_noise]
        first = self.chance.choice(kinds)
        first()
        for _ in range(self.chance.randrange(4)):
            later = self.chance.choice([k for k in kinds if k not in (self.superblock, self.log)])
            if self.sb == self.image.super():
                later()


def boot(args, kernel, path):
    """-> (how it went, '' for well; whether there was a prompt)."""
    extra = ('%s -initrd %s' % (args.extra, path)).strip()
    with guests.Guest(kernel, None, cpus=args.cpus, mem=args.mem, qemu=args.qemu, in_place=True,
                      append='root=ram watchdog=15 ' + args.append, extra=extra) as machine:
        prompt = False
        try:
            first = machine.expect(r'^(\$ |init: cannot .*)', guests.BOOT_LIMIT).group()
            if NO_SHELL.search(first):
                return '', False
            prompt = True
            machine.seen -= len('$ ')
            machine.prompt()
            for line in COMMANDS:
                machine.run(line, limit=LIMIT)
        except guests.GuestError as error:
            if guests.PANIC.search(machine.log) or machine.ended is None:
                return '%s; the last lines: %s' % (error, machine.log[-300:]), prompt
            if machine.ended != 1 or not WHY.search(machine.log):
                return 'it ended without a word: %s' % machine.log[-300:], prompt
        return '', prompt


def one(args, number, path):
    """Makes image `number` and boots it -> (failures, prompts, notes)."""
    chance = random.Random('%d-%d' % (args.seed, number))
    image = good_image()
    damage = Damage(image, chance)
    damage.do()
    failures, prompts = [], 0
    for build, kernel in KERNELS.items():
        with open(path, 'wb') as out:
            out.write(image.data)
        failure, prompt = boot(args, kernel, path)
        prompts += prompt
        if failure:
            failures.append('%s: %s' % (build, failure))
    return failures, prompts, damage.notes


def keep(args, number, path):
    os.makedirs(args.keep, exist_ok=True)
    with open(os.path.join(args.keep, '%d-%d.img' % (args.seed, number)), 'wb') as out:
        out.write(read_whole(path))


def run(args):
    bad = prompts = 0
    with tempfile.TemporaryDirectory(prefix='fuzz-') as folder:
        path = os.path.join(folder, 'fs.img')
        for number in range(args.first, args.first + args.count):
            failures, heard, notes = one(args, number, path)
            prompts += heard
            if failures:
                bad += 1
                print('image %d (%s): %s' % (number, '; '.join(notes), '\n  '.join(failures)),
                      flush=True)
                keep(args, number, path)
    print('%d boots: %d gave a prompt, %d said why not, %d images failed'
          % (args.count * len(KERNELS), prompts, args.count * len(KERNELS) - prompts - bad, bad))
    return bad


def main():
    parser = argparse.ArgumentParser(description='boots corrupt disks')
    guests.add_arguments(parser)
    parser.set_defaults(cpus=1, mem='32M')
    parser.add_argument('--count', type=int, default=20)
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--first', type=int, default=0, help='number of the first image')
    parser.add_argument('--keep', default='build/fuzzdisk')
    args = parser.parse_args()
    guests.terminate_politely()
    bad = run(args)
    print('%d passed, %d failed' % (args.count - bad, bad))
    sys.exit(1 if bad else 0)


if __name__ == '__main__':
    main()
