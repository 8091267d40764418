#!/usr/bin/env python3
"""run.py: boots, types commands, and ends with their status.

usage: CMD='usertests -q' run.py [options]

CMD holds one command a line.  Each is typed at the prompt and its output shown;
the first status other than 0 is the exit status, the later lines still run.
A panic, a hang or a missing prompt ends with status 1 and the reason.  A shell
that does not know $? cannot tell a status, which is an error as well.
"""

import argparse
import os
import sys

sys.dont_write_bytecode = True  # all output belongs in build/
import guest as guests  # noqa: E402


def show(text):
    sys.stdout.write(text)
    sys.stdout.flush()


def exit_code(status):
    """The guest's int in the 8 bits that a host has: nothing but 0 becomes 0."""
    return status & 0xff or (1 if status else 0)


def run(machine, lines, limit):
    """`limit`: seconds by the clock for each line, whatever this machine's speed; 0: none."""
    machine.boot()
    limit /= machine.scale
    first = 0
    for line in lines:
        _, status = machine.command(line, limit=limit, quiet=limit or guests.QUIET_LIMIT)
        if status is None:
            raise guests.GuestError('this shell does not know $?: the status cannot be told')
        first = first or exit_code(status)
    left = machine.poweroff(first)
    if left != first:
        raise guests.GuestError('powered off with %d, but QEMU ended with %d' % (first, left))
    return first


def main():
    parser = argparse.ArgumentParser(description='runs commands in a guest')
    guests.add_arguments(parser)
    parser.add_argument('--timeout', type=float, default=0,
                        help='seconds for each command; 0: as long as there is output')
    args = parser.parse_args()
    lines = [line.strip() for line in os.environ.get('CMD', '').splitlines() if line.strip()]
    if not lines:
        sys.exit("run: nothing to run: give CMD='...'")
    guests.terminate_politely()
    try:
        with guests.from_arguments(args, show=show) as machine:
            status = run(machine, lines, args.timeout)
    except guests.GuestError as error:
        sys.stdout.flush()
        sys.exit('\nrun: %s' % error)
    except KeyboardInterrupt:
        sys.exit('\nrun: interrupted')
    sys.exit(status)


if __name__ == '__main__':
    main()
