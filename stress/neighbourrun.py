#!/usr/bin/env python3
"""neighbourrun.py: what a process pays for what others do; how bounds are derived, and what the
adversaries do, stands in stress/neighbour/.

usage: neighbourrun.py [--harts 2,4,8] [--against vmprint,kills] [--terminals turn,slow,none]
                       [--runs 5] [--rounds 3] [--quick] [--table] [--jobs N] [--kernel FILE]

Boots a kernel with the program `neighbour` in the place of init, once for each adversary
and number of harts.  A row is one operation of the victim; one over its bound, or without a
figure, fails.

In turn: under `-icount shift=0`, the output to a file that takes everything.  Figures are
instructions of all harts together, and repeat to the digit.  seed=5 makes turns uneven, 1,024,000
in the mean, 8,192,000 at most: QEMU changes over when a timer is due, so harts whose turns are equally long
fall in step, and one of them may get a few instructions for each of its own.
Terminals: those who print meet one that takes 300 bytes a second (slow), or nothing (none), until
the victim should have its figures; then all is read.  Figures are nanoseconds, and of --runs boots
the median counts, of each figure for itself; bounds are wider by as much as this machine is slower
than an idle one.

--quick  four harts, the adversaries that find most, three runs: under a minute
--table  prints the rows as Markdown, instead of text
"""

import argparse
import concurrent.futures
import contextlib
import fcntl
import os
import re
import select
import subprocess
import sys
import time

sys.dont_write_bytecode = True  # all output belongs in build/
TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
import guest as guests  # noqa: E402
from measure import EXACT, number  # noqa: E402
from tables import as_markdown, as_text  # noqa: E402

FOLDER = 'build/neighbour'
AGAINST = ['vmprint', 'freeze', 'readers', 'console', 'forks', 'futexes', 'memory', 'messages',
           'kills']
PRINTERS = ['vmprint', 'freeze', 'console', 'messages']
OPERATIONS = ['getpid', 'touch', 'fork', 'open', 'read', 'pipe', 'create']
WITHOUT = {('memory', 'fork')}      # the victim itself might die of it
TURN = {'turn': 1024000, 'slow': 10000000, 'none': 10000000}  # as stress/neighbour/neighbour.h
BYTES = {'slow': 300, 'none': 0}    # that a terminal takes in a second
PAUSE = 6                           # seconds for which it does so, on a fast machine
ROUNDS_AT_ONCE = 5                  # for an operation, when harts run at once
LIMIT = {'turn': 400, 'slow': 60, 'none': 60}  # seconds for a boot, on a fast machine
MEM = '256M'
SEED = ' seed=5'
QUICK = {'harts': [4], 'turn': ['freeze', 'memory', 'kills'],
         'slow': ['vmprint'], 'none': ['messages'], 'runs': 3, 'pause': 3}
PIPE_SIZE = 1031                    # F_SETPIPE_SZ
TAIL = 1 << 18                      # bytes of a flood's end that are looked at
BEGUN = re.compile(r'^neighbour: \w+ on \d+ harts', re.M)
ROW = re.compile(r'^(\w+) +(\d+) +(\d+) +(\d+) +(\d+) +bounds +(\d+) +(\d+), (\d+) times, '
                 r'(\d+) failed$', re.M)


machines = set()  # QEMUs that have not ended


class Row:
    """One operation's figures: medians and worsts of one boot, or of several."""
    FIELDS = ('alone', 'alone_worst', 'median', 'worst', 'median_bound', 'worst_bound', 'times',
              'failed')

    def __init__(self, *figures):
        for name, figure in zip(self.FIELDS, figures):
            setattr(self, name, figure)

    @property
    def ended(self):
        return self.times > 0

    def wrong(self, may_fail):
        """-> what is wrong with it, in words, or ''."""
        if not self.ended:
            return 'did not end'
        if self.worst > self.worst_bound:
            return 'worst %s, bound %s' % (number(self.worst), number(self.worst_bound))
        if self.median > self.median_bound:
            return 'median %s, bound %s' % (number(self.median), number(self.median_bound))
        return '%d calls failed' % self.failed if self.failed and not may_fail else ''


def parse(text):
    """-> {operation: Row}; of one that is there twice, the last."""
    return {name: Row(*map(int, figures)) for name, *figures in ROW.findall(text)}


def middle(numbers):
    return sorted(numbers)[len(numbers) // 2]


def of_many(runs):
    """The rows of several boots -> each figure's median.  One that did not end is longer than
    all others; an operation that most boots have no figure for did not end."""
    rows = {}
    for name in {name for run in runs for name in run}:
        ended = [run[name] for run in runs if name in run and run[name].ended]
        if len(ended) <= len(runs) // 2:
            continue
        missing = [float('inf')] * (len(runs) - len(ended))
        figures = [middle([getattr(row, field) for row in ended] +
                          (missing if field in ('median', 'worst') else []))
                   for field in Row.FIELDS]
        rows[name] = Row(*figures)
    return rows


class Case:
    def __init__(self, against, harts, terminal):
        self.against, self.harts, self.terminal = against, harts, terminal
        self.rows, self.ends = {}, []  # how its boots ended, if not well

    @property
    def name(self):
        return '%s, %d harts, %s' % (self.against, self.harts,
                                     'in turn' if self.terminal == 'turn' else
                                     'terminal: ' + self.terminal)

    @property
    def operations(self):
        return [name for name in OPERATIONS if (self.against, name) not in WITHOUT]

    def wrong(self):
        may_fail = self.against == 'memory'
        lost = 'did not end' + (' (%s)' % self.ends[0] if self.ends else '')
        for name in self.operations:
            fault = self.rows[name].wrong(may_fail) if name in self.rows else lost
            if fault:
                yield '%s: %s: %s' % (self.name, name, lost if fault == 'did not end' else fault)


# ---- boots ---------------------------------------------------------------------------


def pause(args):
    """Seconds for which a terminal is slow: many times the bounds, which are scaled as well."""
    return round((QUICK['pause'] if args.quick else PAUSE) * min(guests.machine_scale(), 10))


def make_image(case, args, cores):
    """-> the disk, with what the program is to do on it."""
    folder = os.path.join(FOLDER, re.sub(r'\W+', '-', case.name))
    os.makedirs(folder, exist_ok=True)
    words, image = os.path.join(folder, 'nbargs'), os.path.join(folder, 'fs.img')
    rounds, limit = (ROUNDS_AT_ONCE, 10 * pause(args) + 100) if cores else (args.rounds, 0)
    with open(words, 'w') as file:
        file.write('%s %d %d %d %d\n' % (case.against, case.harts, cores, rounds, limit))
    subprocess.run([sys.executable, 'user/mkfs.py', image, 'README.md', 'build/user/neighbour',
                    words], check=True)
    return folder, image


@contextlib.contextmanager
def machine(case, args, image, exact, output):
    """A QEMU that ends with the block, or with this script."""
    command = guests.qemu_command(args.kernel, None, cpus=case.harts, mem=MEM, qemu=args.qemu,
                                  append='root=ram init=/neighbour' + (SEED if exact else ''),
                                  extra='%s -initrd %s' % (exact, image))
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, bufsize=0)
    machines.add(process)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        machines.discard(process)


def end_of(text, status):
    """-> how a boot ended, if not well; status None: it was ended here."""
    panic = guests.PANIC.search(text)
    if panic:
        return panic.group()
    if status is None:
        return 'no end within the limit'
    return '' if re.search(r'^neighbour (done|failed)$', text, re.M) else 'status %d' % status


def boot_in_turn(case, args):
    folder, image = make_image(case, args, 0)
    path = os.path.join(folder, 'output')
    with open(path, 'wb') as output, machine(case, args, image, EXACT, output) as process:
        try:
            status = process.wait(LIMIT['turn'] * guests.machine_scale())
        except subprocess.TimeoutExpired:
            status = None
    with open(path, 'rb') as output:
        output.seek(max(0, os.path.getsize(path) - TAIL))
        text = output.read().decode('latin1').replace('\r', '')
    return parse(text), end_of(text, status)


class Terminal:
    """What QEMU prints to: reads as fast as it is told."""

    def __init__(self, process):
        self.process, self.text = process, b''
        try:
            fcntl.fcntl(process.stdout.fileno(), PIPE_SIZE, 4096)
        except OSError:
            pass  # then it takes some more

    def take(self, seconds, most):
        """One read of at most `most` bytes -> whether more can come."""
        if not select.select([self.process.stdout], [], [], seconds)[0]:
            return True
        data = os.read(self.process.stdout.fileno(), most)
        self.text = (self.text + data)[-TAIL:]
        return data != b''

    def read_until(self, pattern, seconds):
        """All that comes; None: to the end -> whether that was reached."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if pattern and pattern.search(self.said()):
                return True
            if not self.take(0.2, 65536):
                return pattern is None
        return False

    def be_slow(self, a_second, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if a_second:
                self.take(0, a_second // 10)
            time.sleep(0.1)

    def said(self):
        return self.text.decode('latin1').replace('\r', '')


def boot_at_once(case, args):
    _, image = make_image(case, args, guests.HOST_CORES)
    scale = guests.machine_scale()
    with machine(case, args, image, '', subprocess.PIPE) as process, process.stdout:
        terminal = Terminal(process)
        if terminal.read_until(BEGUN, LIMIT[case.terminal] * scale):
            terminal.be_slow(BYTES[case.terminal], pause(args))
        ended = terminal.read_until(None, LIMIT[case.terminal] * scale)
        status = process.wait() if ended else None
    rows = parse(terminal.said())
    for row in rows.values():
        row.median_bound, row.worst_bound = row.median_bound * scale, row.worst_bound * scale
    return rows, end_of(terminal.said(), status)


def run(case, args):
    boot = boot_in_turn if case.terminal == 'turn' else boot_at_once
    start = time.monotonic()
    runs = [boot(case, args) for _ in range(1 if case.terminal == 'turn' else args.runs)]
    case.rows = of_many([rows for rows, _ in runs])
    case.ends = [end for _, end in runs if end]
    print('%-4s %s (%.1fs)' % ('over' if any(case.wrong()) else 'ok', case.name,
                               time.monotonic() - start), file=sys.stderr)
    return case


# ---- what is shown -------------------------------------------------------------------


def cell(value, terminal):
    """Instructions; milliseconds when harts run at once."""
    if value == float('inf'):
        return 'did not end'
    return number(value) if terminal == 'turn' else '%.2f' % (value / 1e6)


def cells(case, operation):
    if operation not in case.operations:
        return ['-'] * 5
    row = case.rows.get(operation)
    if row is None or not row.ended:
        ended = 'panic' if any(end.startswith('panic') for end in case.ends) else 'did not end'
        return [cell(row.alone, case.terminal) if row else '-', '-', ended, '-',
                cell(row.worst_bound, case.terminal) if row else '-']
    return [cell(row.alone, case.terminal), cell(row.median, case.terminal),
            cell(row.worst, case.terminal), '%.1f' % (row.worst / TURN[case.terminal]),
            cell(row.worst_bound, case.terminal)]


def table(cases, terminal):
    """A line for each adversary and operation; five columns for each number of harts."""
    some = [case for case in cases if case.terminal == terminal]
    harts = sorted({case.harts for case in some})
    rows = [['adversary', 'operation'] + ['%s, %d' % (name, n) for n in harts for name in
                                          ('alone', 'median', 'worst', 'turns', 'bound')]]
    for against in dict.fromkeys(case.against for case in some):
        for operation in OPERATIONS:
            line = [against, operation]
            for n in harts:
                found = [c for c in some if (c.against, c.harts) == (against, n)]
                line += cells(found[0], operation) if found else ['-'] * 5
            rows.append(line)
    return rows


def wanted(args):
    """-> the cases in the order in which they are run."""
    cases = []
    for terminal in args.terminals:
        for against in args.against:
            if terminal != 'turn' and against not in PRINTERS:
                continue
            if args.quick and against not in QUICK[terminal]:
                continue
            cases += [Case(against, harts, terminal) for harts in args.harts]
    return cases


def arguments(argv=None):
    parser = argparse.ArgumentParser(description='what a process pays for what others do')
    guests.add_arguments(parser)  # of which the kernel and QEMU are used
    parser.add_argument('--harts', default='2,4,8')
    parser.add_argument('--against', default=','.join(AGAINST))
    parser.add_argument('--terminals', default='turn,slow,none')
    parser.add_argument('--runs', type=int, default=5)
    parser.add_argument('--rounds', type=int, default=3)
    parser.add_argument('--quick', action='store_true')
    parser.add_argument('--table', action='store_true')
    parser.add_argument('--jobs', type=int, default=min(2, guests.HOST_CORES))
    args = parser.parse_args(argv)
    args.harts = [int(n) for n in args.harts.split(',')]
    args.against, args.terminals = args.against.split(','), args.terminals.split(',')
    unknown = set(args.against) - set(AGAINST) | set(args.terminals) - set(LIMIT)
    if unknown:
        parser.error('not known: ' + ', '.join(sorted(unknown)))
    if args.quick:
        args.harts, args.runs = QUICK['harts'], QUICK['runs']
    return args


def run_all(cases, args):
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        pending = [pool.submit(run, case, args) for case in cases]
        try:
            for one in pending:
                one.result()
        except BaseException:
            for one in pending:
                one.cancel()
            for process in list(machines):
                process.kill()
            raise


def main():
    guests.terminate_politely()
    args = arguments()
    os.chdir(TOP)
    guests.machine_scale()  # measured while nothing else runs
    cases = wanted(args)
    run_all(cases, args)
    wrong = [line for case in cases for line in case.wrong()]
    for terminal in args.terminals:
        rows = table(cases, terminal)
        if len(rows) > 1:
            print('%s:\n' % ('In turn, instructions' if terminal == 'turn' else
                             'Terminal %s, milliseconds' % terminal))
            print((as_markdown if args.table else as_text)(rows))
    for line in wrong:
        print('FAILED: ' + line)
    rows = sum(len(case.operations) for case in cases)
    print('%d passed, %d failed' % (rows - len(wrong), len(wrong)))
    sys.exit(1 if wrong else 0)


if __name__ == '__main__':
    main()
