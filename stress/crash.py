#!/usr/bin/env python3
"""crash.py: takes the power away during a file-system load, many times.

usage: crash.py [--rounds N] [--seed S] [--load COMMAND] [options of the guest]

A round boots a fresh image, starts the load, and kills QEMU at a random
instant.  The image it leaves, with its log applied, must be consistent (but for
orphans: files removed while open).  It is booted again, which recovers it and
reclaims the orphans; every other time that boot is killed early as well, and
there is one more.  The disk is looked at with `ls`, the machine powered off, and
now the image must be consistent without any help.  Images of rounds that fail
are kept in build/crash/.  The last line is `N passed, N failed`.
"""

import argparse
import os
import random
import shutil
import sys
import tempfile

sys.dont_write_bytecode = True  # all output belongs in build/
TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(TOP, 'user'))
import fsck  # noqa: E402
import guest as guests  # noqa: E402
from mkfs import read_whole  # noqa: E402

LOAD = 'usertests -c createdelete linkunlink concreate fourfiles bigwrite subdir unlinkread iref'
KEEP = 'build/crash'


def load_and_kill(args, image, seconds):
    with guests.from_arguments(args, image=image, in_place=True) as machine:
        machine.boot()
        machine.type(args.load + '\n')
        machine.listen(seconds)
        if machine.log.endswith('\n$ '):
            raise guests.GuestError('the load ended by itself:\n' + machine.log[-1000:])
        machine.kill()


def boot_and_kill(args, image, seconds):
    with guests.from_arguments(args, image=image, in_place=True) as machine:
        machine.listen(seconds)
        machine.kill()


def recover(args, image):
    with guests.from_arguments(args, image=image, in_place=True) as machine:
        machine.boot()
        _, status = machine.command('ls')
        left = machine.poweroff()
        if status or left:
            raise guests.GuestError('after recovery, ls ended with %s, QEMU with %s'
                                    % (status, left))


def consistent(image, when, replay=False, orphans=False):
    problems = [problem for problem in fsck.check(read_whole(image), replay)
                if not (orphans and 'an orphan' in problem)]
    if problems:
        raise guests.GuestError('%s:\n  %s' % (when, '\n  '.join(problems)))


def crash(args, number, chance):
    """One round -> what is wrong, '' for nothing."""
    folder = tempfile.mkdtemp(prefix='crash-')
    image = os.path.join(folder, 'round-%d-seed-%d.img' % (number, args.seed))
    seconds = chance.uniform(0.05, args.longest)
    try:
        shutil.copyfile(args.image, image)
        load_and_kill(args, image, seconds)
        shutil.copyfile(image, image + '.crashed')
        consistent(image, 'after the crash', replay=True, orphans=True)
        if number % 2 == 0:
            boot_and_kill(args, image, chance.uniform(0, args.boot))
            consistent(image, 'after the crash in recovery', replay=True, orphans=True)
        recover(args, image)
        consistent(image, 'after recovery')
    except guests.GuestError as error:
        os.makedirs(KEEP, exist_ok=True)
        for name in os.listdir(folder):
            shutil.copy(os.path.join(folder, name), KEEP)
        return '%s\n  killed after %.2f s; images in %s' % (error, seconds, KEEP)
    finally:
        shutil.rmtree(folder)
    print('round %d: consistent, killed after %.2f s' % (number, seconds), flush=True)
    return ''


def run(args):
    """All rounds -> (passed, failures)."""
    chance = random.Random(args.seed)
    failures = []
    for number in range(1, args.rounds + 1):
        failure = crash(args, number, chance)
        if failure:
            print('round %d: FAILED: %s' % (number, failure), flush=True)
            failures.append(failure)
    return args.rounds - len(failures), failures


def arguments(words=None):
    parser = argparse.ArgumentParser(description='kills the guest under a file-system load')
    guests.add_arguments(parser)
    parser.add_argument('--rounds', type=int, default=50)
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--longest', type=float, default=5, help='seconds before the kill')
    parser.add_argument('--boot', type=float, default=0.5,
                        help='seconds before a boot is killed')
    parser.add_argument('--load', default=LOAD)
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
