#!/usr/bin/env python3
"""promptcheck.py: the machine as a person at its console finds it.

usage: promptcheck.py [options of the guest] [idle | lines | flood ...]

  idle   at the prompt QEMU uses next to no time of the host
  lines  editing, ^D in the middle of a line, lines longer than the console's
  flood  more is typed than fits while nobody reads: what was echoed is kept, in
         order, and what is not kept was not echoed

Checks that fail say so; the last line is `N passed, N failed`.
"""

import argparse
import os
import re
import sys

sys.dont_write_bytecode = True  # all output belongs in build/
import guest as guests  # noqa: E402

IDLE_SHARE = 0.10  # of one processor of the host
WATCHED = 4        # seconds

CTRL_D, CTRL_U, DELETE = '\x04', '\x15', '\x7f'

# What is typed to wc, and what it must count: lines, words, bytes.
TYPED = [
    ('plain\n' + CTRL_D, (1, 1, 6)),
    ('abc' + CTRL_D, (0, 1, 3)),             # the end of the file behind half a line
    ('one\ntwo' + CTRL_D, (1, 2, 7)),
    ('ab' + DELETE + '\x08c\n' + CTRL_D, (1, 1, 2)),
    (DELETE * 3 + 'a\n' + CTRL_D, (1, 1, 2)),
    ('forgotten' + CTRL_U + 'd\n' + CTRL_D, (1, 1, 2)),
    ('x' * 127 + '\n' + CTRL_D, (1, 1, 128)),
    ('x' * 128 + '\n' + CTRL_D, (1, 1, 129)),
    ('x' * 600 + '\n' + CTRL_D, (1, 1, 601)),
]


class Wrong(Exception):
    """What was expected, and what was seen."""


def host_seconds(pid):
    with open('/proc/%d/stat' % pid) as file:
        fields = file.read().rpartition(')')[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')


def check_idle(machine):
    machine.listen(1)
    before = host_seconds(machine.pid)
    machine.listen(WATCHED)
    share = (host_seconds(machine.pid) - before) / WATCHED
    if share > IDLE_SHARE:
        raise Wrong('an idle machine takes %.0f %% of a processor' % (100 * share))


def check_lines(machine):
    for typed, counts in TYPED:
        machine.type('wc\n')
        machine.listen(0.3)  # it reads now
        machine.type(typed)
        output = machine.prompt(limit=20)
        seen = re.findall(r'(\d+) (\d+) (\d+) *$', output, re.M)
        if not seen or tuple(map(int, seen[-1])) != counts:
            raise Wrong('%r typed to wc: expected %s, seen %s' % (typed, counts, seen or output))


def check_flood(machine):
    words = ['word%03d' % i for i in range(120)]
    machine.type('sleep 40\n')
    machine.listen(0.5)
    start = len(machine.log)
    machine.type(''.join('echo %s\n' % word for word in words))
    machine.listen(1.5)
    echoed = machine.log[start:]
    if not ''.join('echo %s\n' % word for word in words).startswith(echoed):
        raise Wrong('the echo is not what was typed: ...%r' % echoed[-60:])
    kept = re.findall(r'^echo (word\d+)\n', echoed, re.M)
    if not 20 < len(kept) < len(words):
        raise Wrong('%d of %d lines were echoed' % (len(kept), len(words)))
    start = len(machine.log)
    machine.expect(r'^(?:\$ )*%s\n' % kept[-1], limit=30)
    printed = re.findall(r'^(?:\$ )*(word\d+)$', machine.log[start:], re.M)
    if printed != kept:
        raise Wrong('%d lines were echoed, but %d run, from %s on'
                    % (len(kept), len(printed), printed[:1]))
    machine.type('\n')  # the end of the line that was cut off
    machine.prompt(limit=20)


CHECKS = {'idle': check_idle, 'lines': check_lines, 'flood': check_flood}


def perform(args, name):
    """-> whether the check passed."""
    try:
        with guests.from_arguments(args) as machine:
            machine.boot()
            CHECKS[name](machine)
            machine.poweroff()
    except (Wrong, guests.GuestError) as error:
        print('%s: FAILED: %s' % (name, error))
        return False
    print('%s: ok' % name)
    return True


def main():
    parser = argparse.ArgumentParser(description='types at the console and looks')
    guests.add_arguments(parser)
    parser.add_argument('checks', nargs='*', metavar='CHECK', help=' '.join(CHECKS))
    args = parser.parse_args()
    unknown = set(args.checks) - set(CHECKS)
    if unknown:
        parser.error('there is no check called %s' % ', '.join(sorted(unknown)))
    guests.terminate_politely()
    passed = [perform(args, name) for name in args.checks or CHECKS]
    print('%d passed, %d failed' % (sum(passed), len(passed) - sum(passed)))
    sys.exit(0 if all(passed) else 1)


if __name__ == '__main__':
    main()
