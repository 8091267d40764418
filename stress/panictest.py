#!/usr/bin/env python3
"""panictest.py: panics end well: the whole report, and QEMU's status 1.

usage: panictest.py [--count N] [options of the guest] [KIND ...]

Boots the DEBUG kernel N times with the disk in RAM, on 1, 4 and 8 harts, with and without
Sstc, and makes it panic in each KIND of way (stress/panicker.c) while the other harts are
busy.  Some of the panics come on several harts at once; in some the console is flooded and
the terminal takes nothing for a second, so that the port's ring is full and its lock held.
The report must begin on a line of its own, consist of lines that belong there, tell of
each other hart where it was, and be the last that the machine says.

--cpus and --extra are tried alone, where given.  The last lines are a table by kind, and
`N passed, N failed`.
"""

import argparse
import collections
import itertools
import os
import re
import sys

sys.dont_write_bytecode = True  # all output belongs in build/
import guest as guests  # noqa: E402

LOGS = 'build/panics'
LIMIT = 40   # seconds, for a panic to come and the report to end
LOAD = 14    # processes, two of each sort
WATCHDOG = 1

# What the first line says, and a function that the backtrace must go through.
Kind = collections.namedtuple('Kind', 'says through least_cpus', defaults=(1,))
KINDS = {
    'assert': Kind('assertion failed: ', 'crash_assert'),
    'load': Kind('load page fault in the kernel: ', 'crash_load'),
    'store': Kind('store page fault in the kernel: ', 'crash_store'),
    'overflow': Kind('kernel stack overflow: ', 'dig'),
    'jump': Kind('fetch page fault in the kernel: ', 'crash_jump'),
    'twice': Kind('lock taken twice: FUTEX', 'crash_twice'),
    'held': Kind('watchdog: FUTEX, .*was held for ', 'crash_held', 2),
    'loop': Kind('watchdog: process \\d+ has been in the kernel for ', 'crash_loop'),
    'nested': Kind('', ''),
}
SHAPES = [(cpus, extra) for cpus in (4, 1, 8) for extra in ('-cpu rv64,sstc=false', '')]
# How many panic at once, and whether the console is flooded.
SITUATIONS = [(1, False), (1, True), (3, False), (1, False), (3, True)]

HART = re.compile(r'hart (\d+): process \d+ \(.*\)$')
PLACE = re.compile(r'  0x[0-9a-f]+ (0x[0-9a-f]+|[\w.]+\+0x[0-9a-f]+)$')
USER = re.compile(r'  in user mode at 0x[0-9a-f]+$')
# Other lines of a report.
LINES = re.compile(r'(at \S+:\d+|trap) on hart \d+, process \d+ \(.*\)$'
                   r'|(   *[a-z]\w+ [0-9a-f]{16}){4}$|  holds or waits for \w+, since '
                   r'|process \d+ \(.*\) (is ready|waits)')


class Wrong(Exception):
    """What is not as it should be."""


def report_of(log):
    """-> lines of the report, without the first and the last."""
    begin = re.search(r'^panic: (.*)\n', log, re.M)
    if not begin:
        raise Wrong('no panic was told on a line of its own')
    end = re.search(r'^panic: end of report\n', log, re.M)
    if not end:
        raise Wrong('the report does not end: ' + repr(log[begin.start():][-80:]))
    if len(re.findall('^panic: ', log, re.M)) != 2 or log[end.end():]:
        raise Wrong('more than one report: ' + repr(log[end.end():][:80]))
    return begin.group(1), log[begin.end():end.start()].splitlines()


def check_report(log, kind, cpus):
    first, lines = report_of(log)
    if not re.match(kind.says, first):
        raise Wrong('another panic: ' + first)
    for line in lines:
        if not any(pattern.match(line) for pattern in (HART, PLACE, USER, LINES)):
            raise Wrong('not a line of a report: %r' % line)
    own = list(itertools.takewhile(lambda line: not HART.match(line), lines))
    if not any(re.search(r' %s[.\w]*\+' % kind.through, line) for line in own):
        raise Wrong('the backtrace does not go through ' + kind.through)
    seen = [int(HART.match(line).group(1)) for line in lines if HART.match(line)]
    me = int(re.search(r' on hart (\d+),', '\n'.join(own)).group(1))
    if seen != [hart for hart in range(cpus) if hart != me]:
        raise Wrong('hart %d tells of harts %s' % (me, seen))
    for line, after in zip(lines, lines[1:]):
        if HART.match(line) and not (PLACE.match(after) or USER.match(after)):
            raise Wrong('it is not said where this was: ' + line)


def crash(args, name, shape, situation):
    """-> all that the machine said, and QEMU's status."""
    (cpus, extra), (count, flooded) = shape, situation
    append = 'root=ram crash=1'
    if KINDS[name].says.startswith('watchdog'):
        append += ' watchdog=%d' % WATCHDOG
    with guests.Guest(args.kernel, None, cpus=cpus, append=append, in_place=True, qemu=args.qemu,
                      extra='%s -initrd %s' % (extra, args.image)) as machine:
        try:
            machine.boot()
            for _ in range(cpus - 1 - len(re.findall('^hart .* starting', machine.log, re.M))):
                machine.expect(r'^hart \d+ starting', limit=10)
            machine.type('panicker %s %d %d%s\n' % (name, count, LOAD, ' flood' * flooded))
            status = machine.wait_end(LIMIT, pause=1 if flooded else 0)
        except guests.GuestError as error:
            return machine.log, str(error)
        return machine.log, status


def perform(args, name, shape, situation):
    """-> what is wrong, or ''."""
    log, status = crash(args, name, shape, situation)
    try:
        if status != 1:
            raise Wrong('QEMU ended with %s' % status)
        if name != 'nested':
            check_report(log, KINDS[name], shape[0])
    except Wrong as wrong:
        with open(os.path.join(LOGS, '%s.log' % name), 'w') as file:
            file.write(log)
        return str(wrong)
    return ''


def trials(args):
    """-> (kind, shape, situation), all kinds in turn, each in another shape each time."""
    shapes = [(cpus, extra) for cpus, extra in SHAPES
              if args.cpus in (None, cpus) and args.extra in (None, extra)]
    turns = {}
    for name in args.kinds:
        fit = [shape for shape in shapes if shape[0] >= KINDS[name].least_cpus]
        turns[name] = itertools.cycle(fit)
    situations = itertools.cycle(SITUATIONS)
    # Each round begins elsewhere, lest a kind meet with every third shape alone.
    for offset, name in enumerate(args.kinds):
        for _ in range(offset % len(shapes)):
            next(turns[name])
    for name in itertools.islice(itertools.cycle(args.kinds), args.count):
        yield name, next(turns[name]), next(situations)


def table(results):
    print('%-10s %7s %6s   cpus: whole of panics, without Sstc; with'
          % ('kind', 'panics', 'whole'))
    for name in dict.fromkeys(result[0] for result in results):
        mine = [result for result in results if result[0] == name]
        cells = []
        for cpus in sorted({shape[0] for _, shape, _, _ in mine}):
            parts = []
            for plain in (False, True):
                some = [bool(wrong) for _, shape, _, wrong in mine
                        if shape[0] == cpus and (shape[1] == '') == plain]
                parts.append('%d of %d' % (len(some) - sum(some), len(some)))
            cells.append('%d: %s' % (cpus, '; '.join(parts)))
        print('%-10s %7d %6d   %s' % (name, len(mine), sum(not r[3] for r in mine),
                                      ',  '.join(cells)))


def arguments():
    parser = argparse.ArgumentParser(description='panics, and reads the report')
    parser.add_argument('--kernel', default='build/debug/kernel')
    parser.add_argument('--image', default='build/fs.img')
    parser.add_argument('--qemu', default='qemu-system-riscv64')
    parser.add_argument('--cpus', type=int)
    parser.add_argument('--extra')
    parser.add_argument('--count', type=int, default=len(KINDS))
    parser.add_argument('kinds', nargs='*', metavar='KIND', help=' '.join(KINDS))
    args = parser.parse_args()
    args.kinds = args.kinds or list(KINDS)
    if set(args.kinds) - set(KINDS):
        parser.error('there are these kinds: ' + ' '.join(KINDS))
    return args


def main():
    args = arguments()
    guests.terminate_politely()
    os.makedirs(LOGS, exist_ok=True)
    results = []
    for name, shape, situation in trials(args):
        wrong = perform(args, name, shape, situation)
        results.append((name, shape, situation, wrong))
        if wrong:
            print('FAILED: %s, CPUS=%d %s, %d at once%s: %s'
                  % (name, *shape, situation[0], ', flooded' * situation[1], wrong))
            sys.stdout.flush()
    table(results)
    failed = sum(bool(result[3]) for result in results)
    print('%d passed, %d failed' % (len(results) - failed, failed))
    sys.exit(1 if failed else 0)


if __name__ == '__main__':
    main()
