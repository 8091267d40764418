"""Commands tried in a guest that may be broken, and what their output says.

A test program tells by name which of its tests failed.  A guest that panics or
hangs is told by the test that was under way.
"""

import re

import fsck
import guest as guests
from mkfs import read_whole

STARTED = re.compile(r'^(?:running test (.+)|test (\w+): .*|(?!usertrap)([\w ]+): (?:ok)?$)')
PASSED = re.compile(r'TESTS PASSED$|^\d+ passed, 0 failed', re.M)
FAILED = re.compile(r'^test (.+): FAILED$|^failed: (.+)$')


def failed_tests(output):
    """-> (names of the tests that failed, name of the last one begun)."""
    failed, last = [], ''
    for line in output.splitlines():
        match = FAILED.search(line)
        if match:
            failed.append(match.group(1) or match.group(2))
        elif 'FAILED -- ' in line:
            begun = re.match(r'test (\w+): ', line)
            failed.append(begun.group(1) if begun else last)
        else:
            begun = STARTED.match(line)
            if begun:
                last = next(name for name in begun.groups() if name)
    return [name or 'its runner' for name in failed], last


def in_brief(text, most=110):
    text = ' '.join(text.split())
    return text if len(text) <= most else text[:most - 3] + '...'


class Boot:
    """Guests of one shape, of which there is a new one when the last has died."""

    def __init__(self, kernel, image, **shape):
        self.kernel, self.image, self.shape = kernel, image, shape
        self.machine = None
        self.log = ''

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    def end(self):
        if self.machine:
            self.machine.close()
            self.log += self.machine.log
            self.machine = None

    def perform(self, command, limit):
        """Runs a command -> what failed, '' if nothing did."""
        before = 0
        try:
            if self.machine is None:
                self.machine = guests.Guest(self.kernel, self.image, **self.shape)
                self.machine.boot()
            before = len(self.machine.log)
            if command == 'fsck':
                return self.check_disk()
            output, status = self.machine.command(command, limit=limit, quiet=limit)
        except guests.GuestError as error:
            return self.tell_end(command, error, before)
        failed, last = failed_tests(output)
        where = command.split()[0] + (': ' + last if last else '')
        if failed:
            return '%s: %s' % (command.split()[0], ', '.join(failed))
        if status != 0:
            return '%s: ends with status %s' % (where, status)
        return '' if PASSED.search(output) else where + ': ends too early'

    def tell_end(self, command, error, before):
        text = self.machine.log[before:] if self.machine else ''
        failed, last = failed_tests(text.partition('\n')[2].partition('panic: ')[0])
        self.end()
        told = re.search(r'^panic: (.*)', text, re.M)
        how = 'panic: ' + told.group(1) if told else str(error)
        if ' did not come' in how:
            how = 'hang'
        where = '%s: %s' % (command.split()[0], ', '.join(failed + [last]).strip(', ') or 'start')
        return '%s: %s' % (where, in_brief(how))

    def check_disk(self):
        self.machine.poweroff(0)
        problems = fsck.check(read_whole(self.machine.image))
        self.end()
        return 'fsck: ' + in_brief('; '.join(problems)) if problems else ''
