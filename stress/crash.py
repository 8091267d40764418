#!/usr/bin/env python3
"""crash.py: cuts the power at every place of a file-system load that a disk's cache allows.

usage: crash.py [--calls N] [--seed S] [--boots N] [--logs N,...] [--load COMMAND]
                [options of the guest]

For each size of the log a disk is made, a guest runs stress/crashload.c on it, and QEMU
records all writes and flushes (writelog.py).  Every state of the disk that a crash can
leave is made of them and judged (crashstates.py), and so are names and contents by the
history of the calls (crashhistory.py).  Some of the states are booted: the kernel's
recovery is recorded too, must leave what was computed, and is cut at each of its writes
in the same way.  --load runs another command, of which no history is known.

The first wrong state is kept in build/crash/.  The last line is `N passed, N failed`.
"""

import argparse
import collections
import os
import random
import sys
import tempfile
import time

sys.dont_write_bytecode = True  # all output belongs in build/
TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(TOP, 'user'))
import crashhistory  # noqa: E402
import crashstates  # noqa: E402
import fsck  # noqa: E402
import guest as guests  # noqa: E402
import mkfs  # noqa: E402
import writelog  # noqa: E402

KEEP = 'build/crash'
PROGRAMS = ('init', 'sh', 'poweroff', 'echo', 'crashload')
WORKERS = 8  # of crashload
LIMIT = 120  # seconds for a load: it is recorded on the host's disk
SORTS = 4    # of states to be booted: with and without a group in the log, and orphans
# Blocks of the log: how many of a hundred actions write more than half of it at once.
BIG = {31: 15, 200: 60}

Recording = collections.namedtuple('Recording', 'before entries after notes')


def make_disk(args, log):
    """-> an image with the programs that the load needs, taken from the guest's."""
    checker = fsck.Checker(mkfs.read_whole(args.image))
    checker.check(replay=True)
    files = [(name.decode(), crashhistory.contents_of(checker, checker.inodes[number]))
             for name, number in crashhistory.entries(checker, mkfs.ROOT)
             if name.decode() in PROGRAMS or args.load and checker.inodes[number].kind == mkfs.FILE]
    return mkfs.make_image(files, size=2000, log=log)


def record(args, folder, before, *commands):
    """Boots a disk (bytes), runs the commands and powers off -> Recording."""
    image, log = os.path.join(folder, 'fs.img'), os.path.join(folder, 'log')
    with open(image, 'wb') as out:
        out.write(before)
    notes = []
    with guests.Guest(args.kernel, None, cpus=args.cpus, mem=args.mem, append=args.append,
                      extra=args.extra + ' ' + writelog.options(image, log), qemu=args.qemu,
                      in_place=True,
                      show=lambda text: notes.append((text, os.path.getsize(log)))) as machine:
        machine.boot()
        for command in commands:
            _, status = machine.command(command, limit=LIMIT)
            if status:
                raise guests.GuestError('%s ended with status %s' % (command, status))
        left = machine.poweroff()
        if left:
            raise guests.GuestError('QEMU ended with status %s' % left)
    after = mkfs.read_whole(image)
    entries = writelog.parse(mkfs.read_whole(log))
    whole = bytearray(before)
    writelog.apply(whole, entries)
    if whole != after:
        raise writelog.Error('what was recorded does not make the disk that was left')
    return Recording(before, entries, after, notes)


def keep(name, image):
    os.makedirs(KEEP, exist_ok=True)
    path = os.path.join(KEEP, name)
    with open(path, 'wb') as out:
        out.write(image)
    return path


def told(name, judge):
    """-> what a judge found, with where the first state is kept."""
    if not judge.problems:
        return []
    kept = keep('%s.img' % name, judge.wrong_image)
    return ['%s: %s' % (name, problem) for problem in judge.problems] + ['kept in ' + kept]


def judge_load(args, log, recording, chance):
    """All states of the load -> (its judge, what is wrong, images to boot)."""
    history = None if args.load else crashhistory.History(recording.notes)
    sample = crashstates.Sample(chance, -(-args.boots // SORTS))
    judge = crashstates.Judge(recording.before, chance, witness=history, sample=sample)
    judge.run(writelog.epochs(recording.entries))
    wrong = told('log-of-%d' % log, judge)
    if history and not wrong:
        wrong = history.unfinished()
        if history.calls < WORKERS * args.calls:
            wrong.append('the load told of %d calls alone' % history.calls)
        print('log of %d: %d calls' % (log, history.calls))
    return judge, wrong, sample.some(args.boots)


def judge_recovery(args, name, crashed, folder, chance):
    """Boots a state -> (how many states of its recovery were judged, what is wrong)."""
    recording = record(args, folder, crashed)
    judge = crashstates.Judge(crashed, chance)
    files = files_of(judge.newest)
    judge.run(writelog.epochs(recording.entries))
    wrong = told(name, judge)
    wrong += ['%s: left by its boot: %s' % (name, problem)
              for problem in fsck.check(recording.after)]
    if files_of(recording.after) != files:
        wrong.append('%s: files are not what they were before the boot' % name)
    return judge.states, wrong


def files_of(image):
    """-> names and contents of all the load's files."""
    checker = fsck.Checker(image)
    checker.check(replay=False)
    return crashhistory.views_of(checker, map(str, range(WORKERS)))


def judge_disk(args, log, folder):
    """One size of the log -> (states, boots, what is wrong)."""
    chance = random.Random(args.seed)
    start = time.monotonic()
    load = args.load or 'crashload %d %d %d' % (args.seed, args.calls, BIG.get(log, 10))
    recording = record(args, folder, make_disk(args, log), load)
    recorded = time.monotonic()
    judge, wrong, images = judge_load(args, log, recording, chance)
    print('log of %d: %d states after %d groups of up to %d blocks, recorded in %.0f s, judged '
          'in %.0f s' % (log, judge.states, judge.groups, judge.largest, recorded - start,
                         time.monotonic() - recorded), flush=True)
    cut = 0
    for number, crashed in enumerate(images if not wrong else (), 1):
        name = 'log-of-%d-boot-%d' % (log, number)
        states, more = judge_recovery(args, name, crashed, folder, chance)
        cut, wrong = cut + states, wrong + more
    print('log of %d: %d boots of such states, %d states of their recovery' % (log, len(images),
                                                                             cut), flush=True)
    return judge.states + cut, len(images), wrong


def run(args):
    """-> (disks that passed, failures)."""
    failures, states, boots = [], 0, 0
    for log in args.logs:
        with tempfile.TemporaryDirectory(prefix='crash-') as folder:
            try:
                seen, booted, wrong = judge_disk(args, log, folder)
            except (guests.GuestError, writelog.Error, crashhistory.Error) as error:
                failures.append('log of %d: %s' % (log, error))
                continue
        states, boots = states + seen, boots + booted
        if wrong:
            failures.append('\n  '.join(wrong))
    for failure in failures:
        print('FAILED: ' + failure)
    print('%d states, %d of them booted' % (states, boots))
    return len(args.logs) - len(failures), failures


def arguments(words=None):
    parser = argparse.ArgumentParser(description='cuts the power under a file-system load')
    guests.add_arguments(parser)
    parser.add_argument('--calls', type=int, default=150, help='of each process')
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--boots', type=int, default=6, help='states that are booted, of each disk')
    parser.add_argument('--logs', default='31,200', help='blocks of the log, of each disk',
                        type=lambda text: [int(word) for word in text.split(',')])
    parser.add_argument('--load', help='a command that runs instead of crashload')
    return parser.parse_args(words)


def main():
    guests.terminate_politely()
    args = arguments()
    print('seed %d' % args.seed)
    passed, failures = run(args)
    print('%d passed, %d failed' % (passed, len(failures)))
    sys.exit(1 if failures else 0)


if __name__ == '__main__':
    main()
