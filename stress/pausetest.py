#!/usr/bin/env python3
"""pausetest.py: a host that stops the machine for a while is no bug of the kernel.

usage: pausetest.py [--pauses SECONDS,..] [options of the guest]

A DEBUG kernel with watchdog=5 runs storms in which there is always a spinlock held
somewhere, or a hart that waits for one.  QEMU is stopped (SIGSTOP) for each of the pauses,
and goes on.  There must be no panic, no word of the lock checker, and the storms must end
well.  Short pauses are many, since what a pause meets is chance.  The last line is
`N passed, N failed`.
"""

import argparse
import os
import re
import signal
import sys
import time

sys.dont_write_bytecode = True  # all output belongs in build/
import guest as guests  # noqa: E402

PAUSES = '12,5,5,12,5,5'
BETWEEN = 0.4   # seconds
STORMS = 'cowstorm pipestorm lazystorm'  # that take no time for granted


class Wrong(Exception):
    """What the kernel said that it should not."""


def pause(machine, seconds):
    os.kill(machine.pid, signal.SIGSTOP)
    try:
        time.sleep(seconds)
    finally:
        os.kill(machine.pid, signal.SIGCONT)


def check(args):
    pauses = [float(word) for word in args.pauses.split(',')]
    extra = '%s -initrd %s' % (args.extra, args.image)
    append = 'root=ram watchdog=5 ' + args.append
    with guests.Guest(args.kernel, None, cpus=args.cpus, mem=args.mem, append=append, extra=extra,
                      qemu=args.qemu, in_place=True) as machine:
        machine.boot()
        length = sum(pauses) + (BETWEEN + 0.2) * len(pauses) + 1
        machine.type('stress -t %d %s\n' % (length, STORMS))
        try:
            machine.listen(1)
            for seconds in pauses:
                pause(machine, seconds)
                machine.listen(BETWEEN)
            output = machine.prompt(limit=60)
            status = machine.status()
        finally:
            said = re.search(r'^lockdebug: .*', machine.log, re.M)
            if said:
                raise Wrong(said.group())
        if status != 0 or 'passed' not in output:
            raise Wrong('the storms ended with status %s: %s'
                        % (status, re.findall(r'^(?!usertrap).+', output, re.M)))
        machine.poweroff()


def main():
    parser = argparse.ArgumentParser(description='stops the machine, and lets it go on')
    guests.add_arguments(parser)
    parser.set_defaults(kernel='build/debug/kernel')
    parser.add_argument('--pauses', default=PAUSES)
    args = parser.parse_args()
    guests.terminate_politely()
    try:
        check(args)
    except (Wrong, guests.GuestError) as error:
        sys.exit('FAILED: %s\n0 passed, 1 failed' % error)
    print('1 passed, 0 failed')


if __name__ == '__main__':
    main()
