#!/usr/bin/env python3
"""portcheck.py: terminals that are slow, or take nothing for a while.

usage: portcheck.py [options of the guest] [pause | slow | messages ...]

  pause     nothing is read for some seconds while a test of porttest runs
  slow      300 bytes are read a second
  messages  kernel messages that found no room while nothing was read: each line is
            whole, and what is missing is counted

Checks that fail say so; the last line is `N passed, N failed`.
"""

import argparse
import re
import sys
import time

sys.dont_write_bytecode = True  # all output belongs in build/
import guest as guests  # noqa: E402

# Tests of porttest, and the seconds that the terminal is like that, which are more than
# they take.
TESTS = [('others go on', 8), ('tables change', 5), ('killed printers', 4)]
A_SECOND = 300
AHEAD = 4096   # bytes that QEMU may be ahead of the terminal

CTRL_P = '\x10'
PROCESS = r'\d+ \w hart \d+ [\w/.-]+'
UNKNOWN = r'\d+ porttest: unknown system call 99'
FAULT = r'usertrap: store page fault .* pid=\d+ name=porttest sepc=\S+ stval=\S+: no region'
TABLE = r'page table 0x\w+|(?: \.\.)+\d+: pte 0x\w{16} [-\w]{8} pa 0x\w+ va 0x\w+'
LOST = r'(\d+) kernel messages were lost'
# What may begin in the middle of a line, and must be a whole one.
BEGINS = re.compile(r'(?:usertrap:|page table|(?: \.\.)+\d*:|\d+ porttest:|^\d+ [A-Z] )')
WHOLE = re.compile('(?:%s)$' % '|'.join((PROCESS, UNKNOWN, FAULT, TABLE, LOST)))


class Wrong(Exception):
    """What was expected, and what was seen."""


def check_lines(text):
    """Every message is a line of its own, from its first character to the last."""
    messages = 0
    for line in text.split('\n'):
        found = BEGINS.search(line)
        if found and (found.start() or not WHOLE.match(line)):
            raise Wrong('a torn message: %r' % line)
        messages += bool(found)
    return messages


def lost_in(text):
    return sum(map(int, re.findall('^%s$' % LOST, text, re.M)))


def run_porttest(machine, terminal):
    for name, seconds in TESTS:
        machine.type("porttest '%s'\n" % name)
        machine.fill(AHEAD, limit=30)  # it prints, and QEMU cannot pass on more
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            terminal()
        output = machine.prompt(limit=30)
        expect_passed(machine, output)
        if check_lines(output) + lost_in(output) == 0:
            raise Wrong('%s: there were no messages: %r' % (name, output[-300:]))


def expect_passed(machine, output):
    if machine.status() != 0:
        raise Wrong(re.findall(r'^.*(?:FAILED|porttest\.c|frames).*$', output, re.M)
                    or output[-300:])


def check_pause(machine):
    run_porttest(machine, lambda: time.sleep(1))


def check_slow(machine):
    def read_some():
        machine.take(A_SECOND)
        time.sleep(1)
    run_porttest(machine, read_some)


def check_messages(machine):
    """^P is printed from the interrupt, which cannot wait."""
    machine.type("porttest 'others go on'\n")
    machine.fill(AHEAD, limit=30)
    time.sleep(1)
    asked = 200
    for _ in range(asked):
        machine.type(CTRL_P)
        time.sleep(0.01)
    time.sleep(1)
    output = machine.prompt(limit=30)
    expect_passed(machine, output)
    check_lines(output)
    told = lost_in(output)
    seen = len(re.findall('^%s$' % PROCESS, output, re.M))
    if not told or not seen or told + seen < 5 * asked:
        raise Wrong('%d rows of processes came, %d messages were told lost: %r'
                    % (seen, told, output[-600:]))


CHECKS = {'pause': check_pause, 'slow': check_slow, 'messages': check_messages}


def perform(args, name):
    """-> whether the check passed."""
    try:
        with guests.from_arguments(args) as machine:
            machine.narrow(AHEAD)
            machine.boot()
            CHECKS[name](machine)
            machine.poweroff()
    except (Wrong, guests.GuestError) as error:
        print('%s: FAILED: %s' % (name, error))
        return False
    print('%s: ok' % name)
    return True


def main():
    parser = argparse.ArgumentParser(description='is a slow terminal')
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
