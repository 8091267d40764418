#!/usr/bin/env python3
"""benchsmp.py: what operations cost when all harts do them at once; `make bench-smp`.

usage: benchsmp.py [--workers 1,2,4,8] [--rows call,fork] [--lines N] [--repeat] [--markdown]
                   [--json FILE] [--accept] | --parallel | --wall

Boots the default build with one worker a hart (stress/smpbench.c) under `-icount shift=0`,
with a plugin in QEMU that counts (stress/bench/counters.c, built by the host's compiler).
It prints for each row and number of workers, for one operation: instructions (spinning
included), atomic operations, fences, rounds of spinning, and how often a cache line of the
kernel went from hart to hart; and how many lines are contended: they move at one of OFTEN
changes from hart to hart, or more often.  Two runs agree to the digit.

seed=5 makes turns short and uneven, 2 microseconds to 8 ms: QEMU runs harts in turn and
changes over when a timer is due, so this makes them meet in the middle of operations.
With the usual turns most rows would end in their first.

--lines N    also lists each row's N lines that went over most: the objects on them or, for
             memory that was allocated, the functions in which they went over
--repeat     measures twice; a difference is an error
--markdown   prints the short table that stands in CPUS.md
--json       writes the figures; --accept: to stress/bench/smp.json
--parallel   without -icount: harts run as the host's cores let them, nothing repeats, but
             store-conditionals fail as they do
--wall       measures seconds instead, for a quiet machine: usertests -q, and a fixed amount
             of work for eight workers, with 1, 2, 4 and 8 harts; the best of three
"""

import argparse
import bisect
import os
import re
import subprocess
import sys
import time

sys.dont_write_bytecode = True  # all output belongs in build/
import measure  # noqa: E402
from measure import EXACT, MeasureError, guests, number  # noqa: E402
from tables import as_markdown, as_text  # noqa: E402

ROWS = ['call', 'touch', 'touch-threads', 'cow', 'cow-threads', 'fork', 'pipe', 'pipe-threads',
        'open', 'open-threads', 'shrink']
MOST = {'pipe-threads': 6}  # pipes for which one table of descriptors has room
TIMES_OVER = 5
WORK = ['call', 'touch', 'fork', 'pipe', 'open']  # what --wall times, over and over
FIGURES = 'stress/bench/smp.json'
FOLDER = 'build/smp'
BOOT = 'root=ram init=/smpbench seed=5'
LIMIT = 1800                     # seconds for all rows; they take a few on a fast machine
OFTEN = 8                        # a line is contended that moves at one of so many changes,
LEAST = 5                        # and at least so many times: what is handed over moves less
DIRECT_MAP = 0xffffffc000000000  # kernel/arch/memlayout.h
KSTACKS = 0xffffffffc0000000
HEAD = ['operations', 'instructions', 'atomics', 'sc failed', 'fences', 'sfence', 'spins',
        'changes', 'lines', 'moves']


# ---- the kernel's symbols ------------------------------------------------------------


class Symbols:
    """What stands where in the kernel, from `nm -n -S`."""

    def __init__(self, listing):
        self.all = sorted((int(at, 16), int(size, 16), kind, name) for at, size, kind, name in
                          re.findall(r'^([0-9a-f]+) ([0-9a-f]+) (\w) (\S+)$', listing, re.M))
        self.starts = [symbol[0] for symbol in self.all]

    def function(self, pc):
        """The name of the function at pc; its address where there is none."""
        at = bisect.bisect_right(self.starts, pc) - 1
        if at >= 0 and pc < self.all[at][0] + self.all[at][1]:
            return self.all[at][3]
        return 'user' if pc < DIRECT_MAP else '%#x' % pc

    def objects(self, line):
        """The names of the objects on these 64 bytes; how far in, where one began before."""
        names = []
        last = bisect.bisect_left(self.starts, line + 64)
        for start, size, kind, name in self.all[max(0, last - 64):last]:
            if start + size > line and kind not in 'tTwW':
                names.append(name + ('+%#x' % (line - start) if start < line else ''))
        return names


class Line:
    """A cache line that harts contend for."""

    def __init__(self, words):
        at = words.index('at')
        self.physical, self.address = int(words[1], 16), int(words[2], 16)
        self.moves, self.user = int(words[3]), words[4] != '0'
        self.harts = {int(h): (int(r), int(w)) for h, r, w in
                      (word.split(':') for word in words[5:at])}
        self.places = {int(pc, 16): int(n) for pc, n in
                       (word.split(':') for word in words[at + 1:])}

    @property
    def kernel(self):
        return self.address >= DIRECT_MAP and not self.user

    def functions(self, symbols):
        moves = {}
        for pc, n in self.places.items():
            name = symbols.function(pc)
            moves[name] = moves.get(name, 0) + n
        return sorted(moves, key=lambda name: -moves[name])

    def name(self, symbols):
        objects = symbols.objects(self.physical + DIRECT_MAP)
        if objects:
            return ', '.join(objects)
        return 'user memory' if not self.kernel else \
            'kernel stack' if self.address >= KSTACKS else 'allocated'


# ---- a run ---------------------------------------------------------------------------


class Window:
    """What the plugin counted while all workers were at work."""

    def __init__(self, changes):
        self.changes = changes  # from hart to hart
        self.harts = []         # {counter: count}
        self.lines = []         # those that move, the worst first

    @property
    def operations(self):
        return sum(hart['operations'] for hart in self.harts)


def parse(text):
    """The plugin's report -> its windows."""
    windows = []
    for words in map(str.split, text.splitlines()):
        if words[0] == 'window':
            windows.append(Window(int(words[1])))
        elif words[0] == 'hart':
            windows[-1].harts.append(dict(zip(words[2::2], map(int, words[3::2]))))
        elif words[0] == 'line':
            windows[-1].lines.append(Line(words))
    for window in windows:
        window.lines.sort(key=lambda line: (-line.moves, line.physical))
    return windows


def contended(window):
    """The kernel's lines that harts fight for, the worst first."""
    least = max(LEAST, window.changes / OFTEN)
    return [line for line in window.lines if line.kernel and line.moves >= least]


def figures_of(window):
    """-> one row's figures, of all harts, for one operation; `lines` of the whole row."""
    total = {name: sum(hart[name] for hart in window.harts) for name in window.harts[0]}
    done = window.operations

    def each(count):
        return round(count / done, 3)
    return {'operations': done,
            'instructions': round(total['instructions'] / done),
            'atomics': each(total['amo'] + total['sc']),
            'sc failed': each(total['sc-failed']),
            'fences': each(total['fence'] + total['fence.i']),
            'sfence': each(total['sfence.vma']),
            'spins': each(total['pause']),
            'changes': window.changes,
            'lines': len(contended(window)),
            'moves': each(sum(line.moves for line in window.lines if line.kernel))}


def output_of(command, why):
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, universal_newlines=True, timeout=LIMIT)
    except FileNotFoundError:
        raise MeasureError('%s is missing: %s' % (command[0], why))
    except subprocess.TimeoutExpired as error:
        raise MeasureError(str(error))
    if done.returncode:
        raise MeasureError('%s: status %d\n%s' % (command[0], done.returncode, done.stdout[-800:]))
    return done.stdout


def build_plugin(args):
    """-> the plugin for this QEMU, built by the host's compiler."""
    version = re.search(r'version (\d+)', output_of([args.qemu, '--version'], 'set QEMU'))
    interface = 2 if version and int(version.group(1)) >= 9 else 1
    path = os.path.join(FOLDER, 'counters.so')
    output_of([args.hostcc, '-std=gnu11', '-O2', '-Wall', '-Wextra', '-Werror', '-shared', '-fPIC',
               '-DPLUGIN_API=%d' % interface, '-o', path, 'stress/bench/counters.c'],
              'the counting plugin needs a compiler for this machine (Debian: gcc), set HOSTCC')
    return path


def boot(args, plugin, workers):
    """Runs all rows with so many workers on as many harts -> {'row, N': Window}."""
    rows = [row for row in args.rows if workers <= MOST.get(row, workers)]
    script, image, report = (os.path.join(FOLDER, name) for name in ('smprows', 'fs.img', 'report'))
    with open(script, 'w') as file:
        file.writelines('%s %d\n' % (row, workers) for row in rows)
    output_of([sys.executable, 'user/mkfs.py', image, 'README.md', 'build/user/smpbench', script],
              'set PYTHON')
    extra = '%s -initrd %s -plugin %s,out=%s,lines=on' % (
        '' if args.parallel else EXACT, image, plugin, report)
    output = output_of(guests.qemu_command('build/kernel', None, cpus=workers, mem='1G',
                                           append=BOOT, extra=extra, qemu=args.qemu), 'set QEMU')
    with open(report) as file:
        windows = parse(file.read())
    if len(windows) != len(rows):
        raise MeasureError('%d of %d rows were measured\n%s' % (
            len(windows), len(rows), output[-800:]))
    return {'%s, %d' % (row, workers): window for row, window in zip(rows, windows)}


def measured(args):
    """-> the windows, {'row, N workers': Window}."""
    os.makedirs(FOLDER, exist_ok=True)
    plugin = build_plugin(args)
    windows = {}
    for workers in args.workers:
        windows.update(boot(args, plugin, workers))
    names = ['%s, %d' % (row, workers) for row in args.rows for workers in args.workers]
    for name, window in list(windows.items()):
        if window.operations == 0:
            if not args.parallel:
                raise MeasureError('%s: the workers did not meet' % name)
            del windows[name]  # a busy host, which ran them one after the other
    return {name: windows[name] for name in names if name in windows}


# ---- what is shown -------------------------------------------------------------------


def full_table(figures):
    rows = [['operation', 'workers'] + HEAD]
    for name, values in figures.items():
        cells = [format(values[key], ',' if isinstance(values[key], int) else '.3f')
                 for key in HEAD]
        rows.append(name.split(', ') + cells)
    return rows


def short_table(figures, operations, workers):
    """A line for each operation: what depends on the number of workers, for each of them."""
    first, most = workers[0], workers[-1]
    rows = [['operation'] + ['%d' % n for n in workers] + ['atomics', 'fences']
            + ['lines, %d' % n for n in workers[1:]] + ['moves, %d' % most]]

    def column(operation, workers, key, form='{:,}'):
        values = figures.get('%s, %d' % (operation, workers))
        return form.format(values[key]) if values else '-'
    for row in operations:
        rows.append([row] + [column(row, n, 'instructions') for n in workers]
                    + [column(row, first, key, '{:.1f}') for key in ('atomics', 'fences')]
                    + [column(row, n, 'lines') for n in workers[1:]]
                    + [column(row, most, 'moves', '{:.2f}')])
    return rows


def line_table(window, symbols, most):
    rows = [['moves', 'reads', 'writes', 'harts', 'what', 'where']]
    for line in contended(window)[:most]:
        rows.append([str(line.moves), number(sum(r for r, _ in line.harts.values())),
                     number(sum(w for _, w in line.harts.values())), str(len(line.harts)),
                     line.name(symbols), ', '.join(line.functions(symbols)[:6])])
    return rows


def print_lines(args, windows):
    listing = output_of([args.toolprefix + 'nm', '-n', '-S', 'build/kernel'], 'set TOOLPREFIX')
    symbols = Symbols(listing)
    for name, window in windows.items():
        rows = line_table(window, symbols, args.lines)
        if len(rows) > 1:
            print('\n%s: %d changes\n%s' % (name, window.changes, as_text(rows)), end='')


# ---- seconds -------------------------------------------------------------------------


def seconds_of(args, cpus, mem, line, times_over):
    """The best of three boots."""
    times = []
    for _ in range(3):
        with guests.Guest('build/kernel', 'build/fs.img', cpus=cpus, mem=mem,
                          qemu=args.qemu) as machine:
            machine.boot()
            start = time.monotonic()
            for _ in range(times_over):
                machine.run(line)
            times.append(time.monotonic() - start)
            if machine.status() != 0:
                raise MeasureError('%s failed with CPUS=%d' % (line, cpus))
            machine.poweroff()
    return min(times)


def wall_table(args):
    most = max(args.workers)
    lines = [('usertests -q', 'usertests -q', '128M', 1)]
    lines += [('%s, %d workers' % (row, most), 'smpbench %s %d' % (row, most), '1G', TIMES_OVER)
              for row in WORK]
    rows = [['seconds'] + ['CPUS=%d' % n for n in args.workers]]
    for name, line, mem, times in lines:
        rows.append([name] + ['%.2f' % seconds_of(args, n, mem, line, times)
                              for n in args.workers])
    return rows


def work(args):
    args.workers = [int(n) for n in args.workers.split(',')]
    args.rows = args.rows.split(',')
    form = as_markdown if args.markdown else as_text
    if args.wall:
        print(form(wall_table(args)), end='')
        return None
    windows = measured(args)
    figures = {name: figures_of(window) for name, window in windows.items()}
    if args.repeat and figures != {name: figures_of(w) for name, w in measured(args).items()}:
        raise MeasureError('a second run gave other figures')
    print(form(short_table(figures, args.rows, args.workers) if args.markdown
               else full_table(figures)), end='')
    if args.lines:
        print_lines(args, windows)
    return figures


def main():
    parser = argparse.ArgumentParser(description='measures operations of many harts at once')
    parser.add_argument('--workers', default='1,2,4,8')
    parser.add_argument('--rows', default=','.join(ROWS))
    parser.add_argument('--lines', type=int, default=0, metavar='N')
    parser.add_argument('--repeat', action='store_true')
    parser.add_argument('--markdown', action='store_true')
    parser.add_argument('--parallel', action='store_true')
    parser.add_argument('--wall', action='store_true')
    parser.add_argument('--hostcc', default='gcc')
    parser.add_argument('--toolprefix', default='riscv64-unknown-elf-')
    measure.main('bench-smp', parser, FIGURES, work)


if __name__ == '__main__':
    main()
