#!/usr/bin/env python3
"""hosttest.py: tests of the host's own tools: mkfs, fsck, ksyms, guest; and those of
measuretest, growthtest, benchsmptest, neighbourtest, campaigntest and crashtest.

No guest is booted.  A consistent image is damaged in many ways, one at a time,
and fsck.py must name each; an image without damage must pass.  All scripts of the
tree must be such that each Python from 3.9 on runs them.
"""

import ast
import importlib.util
import os
import struct
import subprocess
import sys
import sysconfig
import unittest

sys.dont_write_bytecode = True
TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [os.path.join(TOP, 'user'), os.path.join(TOP, 'kernel/debug')]
import fsck  # noqa: E402
import guest  # noqa: E402
import ksyms  # noqa: E402
import mkfs  # noqa: E402
import run  # noqa: E402
from benchsmptest import BenchSmp  # noqa: E402, F401
from measuretest import Bench, Measure  # noqa: E402, F401
from campaigntest import Campaign  # noqa: E402, F401
from crashtest import Judgement, States, Witness, WriteLog  # noqa: E402, F401
from growthtest import Growth, Memory  # noqa: E402, F401
from neighbourtest import Neighbour  # noqa: E402, F401

BIG = bytes(range(256)) * 80   # 20 blocks: needs its indirect block
FILES = [('small', b'hello'), ('big', BIG), ('empty', b'')]
SMALL, LARGE, EMPTY = 2, 3, 4  # their inodes
SPARE = 9                      # an inode that is free


class Patch:
    """An image to be damaged, field by field."""

    def __init__(self, **options):
        self.image = bytearray(mkfs.make_image(FILES, size=400, inodes=64, **options))
        self.sb = dict(zip(mkfs.SUPER_FIELDS, mkfs.SUPER.unpack_from(self.image, mkfs.BLOCK)))

    def at(self, number):
        return self.sb['inodestart'] * mkfs.BLOCK + number * mkfs.INODE.size

    def inode(self, number):
        return list(mkfs.INODE.unpack_from(self.image, self.at(number)))

    def set_inode(self, number, index, value):
        fields = self.inode(number)
        fields[index] = value
        mkfs.INODE.pack_into(self.image, self.at(number), *fields)

    def word(self, block, index, value):
        struct.pack_into('<I', self.image, block * mkfs.BLOCK + 4 * index, value)

    def entry(self, slot, inode, name):
        """Writes an entry of the root directory, which may grow by it."""
        block = self.inode(1)[5]
        mkfs.ENTRY.pack_into(self.image, block * mkfs.BLOCK + slot * mkfs.ENTRY.size, inode, name)
        self.set_inode(1, 4, max(self.inode(1)[4], (slot + 1) * mkfs.ENTRY.size))

    def mark(self, block, used):
        at = self.sb['bmapstart'] * mkfs.BLOCK + block // 8
        bit = 1 << block % 8
        self.image[at] = self.image[at] | bit if used else self.image[at] & ~bit


KIND, LINKS, SIZE, ADDR = 0, 3, 4, 5   # fields of an inode
TABLE = ADDR + mkfs.DIRECT
LAST = 399

# What is done to an image, and a part of the one line that must tell it.
DAMAGE = [
    (lambda p: p.word(1, 0, 1), 'magic is 0x1'),
    (lambda p: p.word(1, 1, 5000), '5000 blocks, but the image ends'),
    (lambda p: p.word(1, 6, 3), 'inodes begin at block 3, before the end of the log'),
    (lambda p: p.word(1, 7, 34), 'bitmap begin at block 34, before the end of the inodes'),
    (lambda p: p.word(1, 2, 399), 'data begin at block 1'),
    (lambda p: p.word(2, 0, 31), 'log: 31 blocks committed, room for 30'),
    (lambda p: (p.word(2, 0, 1), p.word(2, 1, 7000)), 'to go to 7000'),
    (lambda p: (p.word(2, 0, 1), p.word(2, 1, 10)), 'to go to 10'),
    (lambda p: (p.word(2, 0, 1), p.word(2, 1, LAST)), 'committed, but not yet applied'),
    (lambda p: p.set_inode(SMALL, KIND, 7), 'inode 2: type 7'),
    (lambda p: p.set_inode(SMALL, SIZE, 300 << 10), 'inode 2: 307200 bytes'),
    (lambda p: p.set_inode(SMALL, SIZE, 2000), 'inode 2: block 1 of its 2 is missing'),
    (lambda p: p.set_inode(LARGE, ADDR + 3, 0), 'inode 3: block 3 of its 20 is missing'),
    (lambda p: p.set_inode(SMALL, ADDR, 20), 'inode 2: block 20 is outside the data'),
    (lambda p: p.set_inode(SMALL, ADDR, 40000), 'inode 2: block 40000 is outside the data'),
    (lambda p: p.set_inode(SMALL, ADDR, p.inode(LARGE)[ADDR]), 'used twice, by inode 2 too'),
    (lambda p: p.set_inode(LARGE, TABLE, p.inode(SMALL)[ADDR]), 'used twice, by inode 2 too'),
    (lambda p: p.word(p.inode(LARGE)[TABLE], 2, 1), 'inode 3: block 1 is outside the data'),
    (lambda p: p.mark(p.inode(LARGE)[ADDR], False), 'is marked free, but used by inode 3'),
    (lambda p: p.mark(33, False), 'block 33 is marked free, but used by the file system'),
    (lambda p: p.mark(LAST, True), 'block 399 is marked used, but nobody uses it'),
    (lambda p: p.set_inode(SMALL, LINKS, 2), 'inode 2: its link count is 2, but there are 1'),
    (lambda p: p.set_inode(1, LINKS, 2), 'inode 1: its link count is 2, but there are 1'),
    (lambda p: p.entry(5, SMALL, b'second'), 'inode 2: its link count is 1, but there are 2'),
    (lambda p: (p.entry(5, SMALL, b'big'), p.set_inode(SMALL, LINKS, 2)), "'big' is there twice"),
    (lambda p: (p.entry(5, SMALL, b'a/b'), p.set_inode(SMALL, LINKS, 2)), 'is not a name'),
    (lambda p: (p.entry(5, SMALL, b''), p.set_inode(SMALL, LINKS, 2)), "b'' is not a name"),
    (lambda p: p.entry(5, SPARE, b'gone'), "'gone' leads to inode 9, which is not in use"),
    (lambda p: p.entry(5, 60000, b'far'), "'far' leads to inode 60000, which is not in use"),
    (lambda p: p.set_inode(1, SIZE, 90), 'a directory of 90 bytes ends inside an entry'),
    (lambda p: p.entry(0, SMALL, b'.'), "'.' leads to inode 2, not to 1"),
    (lambda p: p.entry(1, SMALL, b'..'), "'..' leads to inode 2, not to 1"),
    (lambda p: p.entry(1, 0, b'..'), "inode 1: has no '..'"),
    (lambda p: p.set_inode(1, KIND, 2), 'the root is not a directory'),
    (lambda p: (p.set_inode(SPARE, KIND, 2), p.set_inode(SPARE, LINKS, 1)),
     'inode 9: in no directory, but its link count is 1'),
    (lambda p: p.set_inode(SPARE, KIND, 2), 'inode 9: an orphan'),
    (lambda p: p.entry(5, 1, b'loop'), 'inode 1: a directory with two names'),
]


class Fsck(unittest.TestCase):
    def test_consistent(self):
        self.assertEqual(fsck.check(Patch().image), [])
        self.assertEqual(fsck.check(Patch(log=30).image), [])
        self.assertEqual(fsck.check(Patch(links=[('again', 'big')]).image), [])

    def test_each_damage_is_named(self):
        for damage, words in DAMAGE:
            with self.subTest(words):
                patch = Patch()
                damage(patch)
                problems = fsck.check(patch.image)
                self.assertTrue(any(words in problem for problem in problems), problems)

    def test_every_byte_of_the_metadata_may_be_noise(self):
        """Nothing that stands in an image makes the checker itself fall over."""
        start = Patch()
        for at in range(mkfs.BLOCK, start.at(8), 3):
            image = bytearray(start.image)
            image[at:at + 4] = b'\xff\xfe\xfd\x7f'
            fsck.check(image, replay=True)

    def test_replay(self):
        patch = Patch()
        good = patch.sb['bmapstart']
        log = patch.sb['logstart']
        patch.word(log, 0, 1)
        patch.word(log, 1, good)
        patch.image[(log + 1) * mkfs.BLOCK:(log + 2) * mkfs.BLOCK] = \
            patch.image[good * mkfs.BLOCK:(good + 1) * mkfs.BLOCK]
        patch.mark(LAST, True)
        self.assertEqual(fsck.check(patch.image, replay=True), [])
        self.assertNotEqual(fsck.check(patch.image), [])

    def test_truncated(self):
        image = Patch().image
        for length in (0, 1, 1500, 40 * mkfs.BLOCK, len(image) - 1):
            self.assertNotEqual(fsck.check(image[:length]), [])


class Mkfs(unittest.TestCase):
    def refuses(self, words, *args, **options):
        with self.assertRaises(mkfs.Error) as caught:
            mkfs.make_image(*args, **options)
        self.assertIn(words, str(caught.exception))

    def test_contents(self):
        patch = Patch()
        self.assertEqual(patch.inode(LARGE)[:5], [mkfs.FILE, 0, 0, 1, len(BIG)])
        checker = fsck.Checker(patch.image)
        checker.check(False)
        data = b''.join(bytes(checker.block(b)) for b in checker.inodes[LARGE].blocks)
        self.assertEqual(data, BIG)
        self.assertEqual(checker.inodes[EMPTY].blocks, [])

    def test_layout(self):
        sb = Patch().sb
        self.assertEqual([sb[f] for f in mkfs.SUPER_FIELDS],
                         [0x10203040, 400, 400 - 38, 64, 31, 2, 33, 37])

    def test_limits_stand_once(self):
        """mkfs.py and fsck.py have no number of their own that the kernel's headers give."""
        for name in ('mkfs.py', 'fsck.py'):
            with open(os.path.join(TOP, 'user', name), encoding='utf-8') as file:
                numbers = {node.value for node in ast.walk(ast.parse(file.read()))
                           if isinstance(node, ast.Constant) and isinstance(node.value, int)}
            limits = set(mkfs.constants('fs.h').values()) | \
                {mkfs.LIMITS[key] for key in ('FSSIZE', 'FSINODES', 'LOGSIZE')}
            own = {n for n in numbers if n >= 10} & limits
            self.assertEqual(own, set(), name)
        self.assertEqual(mkfs.LIMITS['MAXINODES'], 1 << 8 * 2)
        self.assertEqual(mkfs.LIMITS['FSMAGIC'], 0x10203040)

    def test_deterministic(self):
        self.assertEqual(Patch().image, Patch().image)

    def test_largest_file(self):
        largest = bytes(mkfs.MAX_BLOCKS * mkfs.BLOCK)
        self.assertEqual(fsck.check(mkfs.make_image([('f', largest)])), [])
        self.refuses('a file holds at most', [('f', largest + b'x')])

    def test_refusals(self):
        self.refuses('a name has 1 to 14', [('fifteen-letters', b'')])
        self.refuses('a name has 1 to 14', [('', b'')])
        self.refuses('two of that name', [('a', b''), ('a', b'')])
        self.refuses('two of that name', [('..', b'')])
        self.refuses('no inode left', [(str(i), b'') for i in range(10)], inodes=8)
        self.refuses('disk is full', [('a', bytes(200000))], size=200)
        self.refuses('too few', [], size=60)
        self.refuses('number of inodes', [], inodes=1)
        self.refuses('number of inodes', [], inodes=(1 << 16) + 1)
        self.refuses('log must have', [], log=10)
        self.refuses('log must have', [], log=257)
        self.refuses('no file of that name', [], links=[('a', 'b')])


class Ksyms(unittest.TestCase):
    NM = ['                 U nowhere', '0000000080000000 T kernel_start',
          '0000000080000000 t entry', '0000000080000010 t $x', '0000000080000020 t .L5',
          '0000000080000030 t local', '0000000080000030 T global', '0000000080000040 D data',
          '0000000070000000 T below']

    def test_symbols(self):
        self.assertEqual(ksyms.read_symbols(self.NM), [(0, 'kernel_start'), (0x30, 'global')])

    def test_assembly(self):
        text = ksyms.assembly([(0, 'ab'), (16, 'c')])
        self.assertIn('.word 2\n  .word 0x0, 0\n  .word 0x10, 3\n', text)

    def test_no_start(self):
        with self.assertRaises(SystemExit):
            ksyms.read_symbols(self.NM[2:])


class Limits(unittest.TestCase):
    def test_scale(self):
        self.assertGreaterEqual(guest.time_scale(1), 1)
        self.assertGreaterEqual(guest.time_scale(16), guest.time_scale(1))

    def test_command(self):
        command = guest.qemu_command('k', 'a,b.img', cpus=3, mem='1G', append='seed=1',
                                     extra='-icount "shift=0"')
        self.assertIn('file=a,,b.img,if=none,format=raw,id=x0', command)
        self.assertEqual(command[-4:], ['-append', 'seed=1', '-icount', 'shift=0'])


class Script(list):
    """A guest that answers nothing; the calls it gets."""
    scale = 8

    def boot(self):
        pass

    def command(self, line, limit, quiet):
        self.append((line, limit * self.scale, quiet * self.scale))
        return '', 0

    def poweroff(self, status):
        return status


class Run(unittest.TestCase):
    def test_command_is_typed_as_it_stands(self):
        for given in ('false; echo $?', 'echo $$? $(CC) #', "a 'b'"):
            for arguments, environment in ((['CMD=' + given], {}), ([], {'CMD': given})):
                shown = subprocess.run(
                    ['make', '-s', '--no-print-directory', '--eval', 'show: ; @printenv CMD',
                     'show'] + arguments, cwd=TOP, stdout=subprocess.PIPE,
                    env=dict({name: value for name, value in os.environ.items()
                              if not name.startswith('M')}, **environment))
                self.assertEqual(shown.stdout.decode(), given + '\n')

    def test_timeout_is_in_seconds(self):
        machine = Script()
        run.run(machine, ['a', 'b'], 10)
        self.assertEqual(machine, [('a', 10, 10), ('b', 10, 10)])


OLDEST = (3, 9)
# Modules of OLDEST that a later release took away: 3.10 and 3.11, 3.12, and 3.13.
REMOVED = set('''
    binhex formatter parser symbol
    asynchat asyncore distutils imp smtpd
    aifc audioop cgi cgitb chunk crypt imghdr lib2to3 mailcap msilib nis nntplib
    ossaudiodev pipes sndhdr spwd sunau telnetlib uu xdrlib
'''.split())
ADDED = {'annotationlib', 'compression', 'tomllib'}  # since OLDEST


def is_script(path):
    if path.endswith('.py'):
        return True
    with open(path, 'rb') as file:
        first = file.readline(80)
    return first.startswith(b'#!') and b'python' in first


def host_scripts():
    """-> the path of every Python file of the tree."""
    found = []
    for folder, folders, names in os.walk(TOP):
        folders[:] = [name for name in folders
                      if name[0] != '.' and (folder, name) != (TOP, 'build')]
        paths = [os.path.join(folder, name) for name in names]
        found += [path for path in paths if os.path.isfile(path) and is_script(path)]
    return found


def is_standard(name):
    if hasattr(sys, 'stdlib_module_names'):  # since 3.10
        return name in sys.stdlib_module_names
    spec = importlib.util.find_spec(name)
    origin = spec.origin or '' if spec else ''
    home = sysconfig.get_paths()['stdlib']
    return origin in ('built-in', 'frozen') or \
        origin.startswith(home) and 'site-packages' not in origin


def flaws(source, own=()):
    """-> what in a script not every Python from OLDEST on takes, in words."""
    try:
        tree = ast.parse(source, feature_version=OLDEST)
    except SyntaxError as error:
        return ['line %s: %s' % (error.lineno, error.msg)]
    found = []
    for node in ast.walk(tree):
        modules = []
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            modules = [node.module or '.']
        for module in modules:
            name = module.partition('.')[0]
            if name in REMOVED | ADDED or name not in own and not is_standard(name):
                found.append('line %d: %s is not a module of each Python' % (node.lineno, module))
    return found


class Portable(unittest.TestCase):
    def test_every_script(self):
        scripts = host_scripts()
        own = {os.path.basename(path)[:-len('.py')] for path in scripts if path.endswith('.py')}
        names = {os.path.relpath(path, TOP) for path in scripts}
        self.assertLess({'grade-lab-lazy', 'stress/test.py', 'user/fsck.py',
                         'kernel/debug/ksyms.py'}, names)
        for path in scripts:
            with self.subTest(os.path.relpath(path, TOP)), open(path, encoding='utf-8') as file:
                self.assertEqual(flaws(file.read(), own), [])

    def test_flaws_are_found(self):
        self.assertEqual(flaws('import os.path\nfrom concurrent import futures\n'), [])
        for source in ('match x:\n    case 1: pass\n', 'try: pass\nexcept* OSError: pass\n',
                       'import pipes\n', 'import os, distutils.core\n', 'from cgi import escape\n',
                       'import tomllib\n', 'import numpy\n', 'def f():\n    import imp\n'):
            with self.subTest(source):
                self.assertEqual(len(flaws(source)), 1)


if __name__ == '__main__':
    unittest.main()
