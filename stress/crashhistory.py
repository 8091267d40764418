"""What the processes of stress/crashload.c did, and what of it a disk must hold.

The lines that they print are replayed, one process at a time: no two use the same name.
A disk after a group of operations must show each process's names and contents as they
were between two of its calls, or within a write or a cut of a file that took several
operations; no group takes a process further than by one step, since each waits until its
own is on the disk.  And a line says that its call had returned when what the host had
recorded by then was so long: a disk that a later crash leaves must hold it.

Owns the judgement of names and contents.  Blocks are crashstates.py's.
"""

import bisect
import re

from mkfs import BLOCK, DIR, ENTRY, ROOT

CREATE, TRUNC = 0x200, 0x400
FOLDER = b'cr'  # where the load works
LINE = re.compile(r'^#(\d) (\d+) (\w+) (.*) = (-?\d+)$', re.M)
PATTERN = bytes((i * 7 + (i >> 8) * 13 + (i >> 11)) & 255 for i in range(1 << 17))


class Error(Exception):
    """Lines are missing."""


class File:
    """Its contents, or None for a directory."""

    def __init__(self, contents):
        self.contents = contents


def canonical(names):
    """{path: (what identifies the file, contents)} -> a value to compare."""
    number = {}
    return tuple((path, number.setdefault(file, len(number)), contents)
                 for path, (file, contents) in sorted(names.items()))


class Process:
    """Replays one process's calls; `steps` are the tuples that its names went through."""

    def __init__(self):
        self.names, self.open = {}, {}
        self.steps = [()]
        self.after = []  # call: the step that it led to
        self.told = []   # call: how long the log was when its line came
        self.words = []

    def call(self, words, result, told):
        self.words.append('%s = %d' % (' '.join(words), result))
        if result >= 0:
            getattr(self, '_' + words[0])(result, *words[1:])
            view = canonical({path: (id(file), file.contents)
                              for path, file in self.names.items()})
            if view != self.steps[-1]:
                self.steps.append(view)
        self.after.append(len(self.steps) - 1)
        self.told.append(told)

    def _mkdir(self, _result, path):
        self.names[path] = File(None)

    def _open(self, fd, path, flags):
        if path not in self.names and int(flags) & CREATE:
            self.names[path] = File(b'')
        file = self.names[path]
        if int(flags) & TRUNC:
            file.contents = b''
        self.open[fd] = [file, 0]

    def _read(self, got, fd, _size):
        self.open[int(fd)][1] += got

    def _write(self, put, fd, _size, seed):
        file, at = self.open[int(fd)]
        data = PATTERN[int(seed):int(seed) + put]
        file.contents = file.contents[:at] + data + file.contents[at + put:]
        self.open[int(fd)][1] += put

    def _close(self, _result, fd):
        del self.open[int(fd)]

    def _link(self, _result, old, new):
        self.names[new] = self.names[old]

    def _unlink(self, _result, path):
        del self.names[path]


def within(view, before, after):
    """Whether a view is on the way from one step to the next: a file that grows or shrinks."""
    if not len(view) == len(before) == len(after):
        return False
    for (path, file, contents), old, new in zip(view, before, after):
        if (path, file) != old[:2] or (path, file) != new[:2]:
            return False
        short, long = sorted((old[2] or b'', new[2] or b''), key=len)
        if contents not in (old[2], new[2]) and not (
                len(short) < len(contents or b'') < len(long) and long.startswith(contents)):
            return False
    return True


class History:
    """A witness for crashstates.Judge."""

    def __init__(self, notes):
        """notes: (text, length of the log) of each piece of the console's output."""
        self.processes = {}
        self.places = []  # after each group: {process: step}
        text, ends, lengths = '', [], []
        for piece, length in notes:
            text += piece
            ends.append(len(text))
            lengths.append(length)
        for line in LINE.finditer(text):
            digit, number, call, words, result = line.groups()
            process = self.processes.setdefault(digit, Process())
            if int(number) != len(process.told):
                raise Error('process %s: call %s comes after %d calls'
                            % (digit, number, len(process.told)))
            told = lengths[bisect.bisect_left(ends, line.end() + 1)]
            process.call([call] + words.split(), int(result), told)
        self.now = dict.fromkeys(self.processes, 0)

    @property
    def calls(self):
        return sum(len(process.told) for process in self.processes.values())

    def observe(self, checker):
        return self.take(views_of(checker, self.processes))

    def take(self, views):
        """{process: {path: (inode, contents)}} after one more group -> what is wrong."""
        wrong = [self._advance(digit, canonical(names)) for digit, names in views.items()]
        self.places.append(dict(self.now))
        return [words for words in wrong if words]

    def _advance(self, digit, view):
        """Looks for a view among the process's steps -> '' or what is wrong with it."""
        process, at = self.processes[digit], self.now[digit]
        if view == process.steps[at]:
            return ''
        if at + 1 < len(process.steps):
            if view == process.steps[at + 1]:
                self.now[digit] = at + 1
                return ''
            if within(view, process.steps[at], process.steps[at + 1]):
                return ''
        call = bisect.bisect_left(process.after, at + 1)
        return 'process %s: its files are neither as before nor as after %s%s' % (
            digit, process.words[call] if call < len(process.words) else 'the end',
            difference(view, process.steps[at]))

    def lacks(self, group, at):
        for digit, process in self.processes.items():
            calls = bisect.bisect_right(process.told, at)
            if calls and self.places[group][digit] < process.after[calls - 1]:
                lost = bisect.bisect_left(process.after, self.places[group][digit] + 1)
                return 'process %s: %s had returned and is lost' % (digit, process.words[lost])
        return ''

    def unfinished(self):
        """-> what is missing after the last group, one string a process."""
        last = {digit: len(process.steps) - 1 for digit, process in self.processes.items()}
        return ['process %s: %d of %d steps are on the disk' % (digit, self.now[digit], last[digit])
                for digit in last if self.now[digit] != last[digit]]


def difference(view, other):
    a, b = ({path: contents for path, _, contents in each} for each in (view, other))
    for path in sorted(a.keys() | b.keys()):
        if path not in a or path not in b:
            return ' (%s is %s)' % (path, 'missing' if path in b else 'there')
        if a[path] != b[path]:
            return ' (%s has %d bytes)' % (path, len(a[path] or b''))
    return ''


# ---- reading a disk --------------------------------------------------------

def contents_of(checker, inode):
    return b''.join(bytes(checker.block(b)) if b else bytes(BLOCK)
                    for b in inode.blocks)[:inode.size]


def entries(checker, folder):
    """-> (name, inode) of each entry of a directory."""
    data = contents_of(checker, checker.inodes[folder])
    for at in range(0, len(data) - ENTRY.size + 1, ENTRY.size):
        number, raw = ENTRY.unpack_from(data, at)
        if number:
            yield raw.partition(b'\0')[0], number


def views_of(checker, processes):
    """-> {process: {path: (inode, contents)}} of all names in the load's directory."""
    views = {digit: {} for digit in processes}
    if ROOT in checker.inodes:
        folder = dict(entries(checker, ROOT)).get(FOLDER)
        if folder in checker.inodes:
            look(checker, folder, FOLDER.decode(), views)
    return views


def look(checker, folder, path, views):
    """Enters all names below a directory in the view of the process that they belong to."""
    for raw, number in entries(checker, folder):
        name = raw.decode('latin-1')
        inode = checker.inodes.get(number)
        if name in ('.', '..') or inode is None or name[0] not in views:
            continue
        whole = '%s/%s' % (path, name)
        is_folder = inode.kind == DIR
        contents = None if is_folder else contents_of(checker, inode)
        views[name[0]][whole] = (number, contents)
        if is_folder and number != folder:
            look(checker, number, whole, views)
