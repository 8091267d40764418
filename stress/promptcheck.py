#!/usr/bin/env python3
"""promptcheck.py: the machine as a person at its console finds it.

usage: promptcheck.py [options of the guest] [CHECK ...]

  idle        at the prompt QEMU uses next to no time of the host
  lines       editing, ^D in the middle of a line, lines longer than the console's
  paste       400 lines typed at once all run, in order
  flood       more is typed than fits while nobody reads: lines are kept whole or refused
              whole, which is heard and told
  longest     one line longer than all that fits: what follows is not added to it
  interrupt   ^C ends the foreground job, all of it and nothing else
  forks       ^C while processes fork, and in a fork bomb: none escapes
  prompt      ^C at the prompt drops the line, and a new prompt comes
  processes   ps and ^P show all of 300 processes
  shell       the shell: >> to a device, cd with a redirection, jobs and their input

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

CTRL_C, CTRL_D, CTRL_P, CTRL_U, DELETE = '\x03', '\x04', '\x10', '\x15', '\x7f'
BEL = '\x07'
LEFT, DELETE_KEY, HOME = '\x1b[D', '\x1b[3~', '\x1bOH'
TYPE_AHEAD = 16384

# What is typed to wc, and what it must count: lines, words, bytes.
TYPED = [
    ('plain\n' + CTRL_D, (1, 1, 6)),
    ('abc' + CTRL_D, (0, 1, 3)),             # the end of the file behind half a line
    ('one\ntwo' + CTRL_D, (1, 2, 7)),
    ('ab' + DELETE + '\x08c\n' + CTRL_D, (1, 1, 2)),
    (DELETE * 3 + 'a\n' + CTRL_D, (1, 1, 2)),
    ('forgotten' + CTRL_U + 'd\n' + CTRL_D, (1, 1, 2)),
    ('x' * 127 + '\n' + CTRL_D, (1, 1, 128)),
    ('x' * 511 + '\n' + CTRL_D, (1, 1, 512)),
    ('x' * 512 + '\n' + CTRL_D, (1, 1, 513)),
    ('x' * 1200 + '\n' + CTRL_D, (1, 1, 1201)),
    ('x' * 305 + CTRL_U + 'd\n' + CTRL_D, (1, 1, 2)),
    ('x' * 512 + CTRL_U + 'd\n' + CTRL_D, (1, 1, 2)),
    ('x' * 305 + DELETE * 304 + '\n' + CTRL_D, (1, 1, 2)),
    ('ab' + LEFT + 'c' + DELETE_KEY + HOME + '\x1b[200~d\x1b[1;5C\n' + CTRL_D, (1, 1, 5)),
    ('a\x1b\nb\x1b[\nc\x1b[2\n' + CTRL_D, (3, 3, 6)),  # a sequence does not swallow a newline
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


def outputs(text, words):
    """-> those of the words that stand alone in a line, behind prompts at most."""
    return re.findall(r'^(?:\$ )*(%s)$' % words, text, re.M)


def check_paste(machine):
    """Into a file: on the screen the echo of what is typed stands between."""
    words = ['word%03d' % i for i in range(400)]
    machine.run('rm pasted')  # of an earlier run
    machine.type(''.join('echo %s >> pasted\n' % word for word in words) + 'echo all done\n')
    machine.expect(r'^(?:\$ )*all done\n', limit=120)
    machine.prompt(limit=20)
    printed = machine.run('cat pasted').split()
    if printed != words:
        raise Wrong('%d of %d lines have run; the first that is wrong: %s' % (
            len(printed), len(words), [(a, b) for a, b in zip(words, printed) if a != b][:1]))


def check_flood(machine):
    lines = ['echo word%03d %s' % (i, 'x' * 60) for i in range(400)]
    machine.type('sleep 100\n')
    machine.listen(0.5)
    start = len(machine.log)
    machine.type(''.join(line + '\n' for line in lines))
    for _ in range(20):  # until the port has taken all
        machine.listen(0.5)
        echoed = machine.log[start:]
        if len(re.findall('^echo |' + BEL, echoed, re.M)) >= len(lines):
            break
    kept = re.findall(r'^echo (word\d+) x{60}$', echoed, re.M)
    if [line.split()[1] for line in lines[:len(kept)]] != kept:
        raise Wrong('the echo is not what was typed: ...%r' % echoed[-200:])
    if not TYPE_AHEAD <= len(kept) * (len(lines[0]) + 1) <= TYPE_AHEAD + 600:
        raise Wrong('%d lines of %d bytes were kept' % (len(kept), len(lines[0]) + 1))
    if echoed.count(BEL) != len(lines) - len(kept):
        raise Wrong('%d lines were refused with %d BELs' % (len(lines) - len(kept),
                                                           echoed.count(BEL)))
    if len(re.findall(r'^\x07*console: \d+ bytes wait.*lost$', echoed, re.M)) != 1:
        raise Wrong('the refusal is not told once: %r' % echoed[-300:])
    start = len(machine.log)
    machine.expect(r'^(?:\$ )*%s x{60}\n' % kept[-1], limit=90)
    machine.prompt(limit=20)
    printed = outputs(machine.log[start:], r'word\d+ x{60}')
    if [line.split()[0] for line in printed] != kept:
        raise Wrong('%d lines were echoed, but %d run, from %s on'
                    % (len(kept), len(printed), printed[:1]))
    if machine.run('echo again').strip() != 'again':
        raise Wrong('after the flood a line does not run')


def check_longest(machine):
    """A line that does not fit at all, then more while nobody reads, and then a good one."""
    machine.type('sleep 30\n')
    machine.listen(0.5)
    machine.type('echo %s\n' % ('y' * 40000) + 'echo between\n')
    machine.listen(2)
    machine.prompt(limit=30)
    start = len(machine.log)
    machine.type('echo good\n')
    machine.expect(r'^(?:\$ )*good\n', limit=8)
    if 'cannot run' in machine.log[start:] or 'y' * 100 in machine.log[start:]:
        raise Wrong('the line was added to another: %r' % machine.log[start:][-200:])
    machine.prompt(limit=20)


def names(machine):
    """-> the names of all processes but the ps that lists them, sorted."""
    output = machine.run('ps')
    rows = re.findall(r'^ *\d+ +\d+ \w +\d+ +\d+ (\S+)$', output, re.M)
    if 'ps' not in rows:
        raise Wrong('ps has printed %r' % output)
    rows.remove('ps')
    return sorted(rows)


def expect_names(machine, wanted, what):
    """Those that end may take a moment."""
    for _ in range(20):
        seen = names(machine)
        if seen == sorted(wanted):
            return
        machine.listen(0.3)
    raise Wrong('after %s there are %s' % (what, seen))


def interrupt(machine, command, begun=None, pause=0.7):
    """Types a command, waits until it runs, types ^C -> the output up to the prompt."""
    machine.type(command + '\n')
    if begun:
        machine.expect(begun, limit=60)
    else:
        machine.listen(pause)
    machine.seen = len(machine.log)  # a prompt of the job's own is not the one to come
    machine.type(CTRL_C)
    return machine.prompt(limit=60)


def check_interrupt(machine):
    idle = ['init', 'sh']
    for command in ('cat', 'cat | cat | wc', '(sleep 1000; echo not-this)', 'sh',
                    'sleep 1000; echo not-this; sleep 1000; echo not-this', 'usertests killstatus preempt',
                    'echo x | (cat; sleep 1000; cat)'):
        output = interrupt(machine, command)
        if re.search(r'^not-this', output, re.M):
            raise Wrong('^C did not end all of %s' % command)
        expect_names(machine, idle, '^C in ' + command)
    interrupt(machine, 'jobtest tree', 'has begun')
    expect_names(machine, idle, '^C in a tree')
    job = ['sh', 'sleep']  # in the background: the shell that waits for it, too
    machine.run('sleep 1000 &')
    interrupt(machine, 'cat')
    expect_names(machine, idle + job, '^C in cat, with a sleep in the background')
    machine.type('sleep 1000 & cat\n')
    machine.listen(0.7)
    machine.type('half a line' + CTRL_C)
    machine.prompt(limit=20)
    expect_names(machine, idle + job * 2, '^C in cat, on a line with another in the background')
    machine.type('cat\n' + CTRL_C + 'echo same burst\n')
    machine.expect(r'^(?:\$ )*same burst\n', limit=20)
    machine.prompt(limit=20)
    expect_names(machine, idle + job * 2, '^C in cat, typed in one go')


def check_forks(machine):
    for _ in range(12):
        interrupt(machine, 'jobtest forkers', 'has begun')
        expect_names(machine, ['init', 'sh'], '^C in forking processes')
    interrupt(machine, 'jobtest bomb', 'has begun', pause=2)
    expect_names(machine, ['init', 'sh'], '^C in a fork bomb')
    interrupt(machine, 'stress -t 60', pause=4)
    machine.run('rm stress.log')
    expect_names(machine, ['init', 'sh'], '^C in stress')


def check_prompt(machine):
    for typed in ('', 'echo not-this', 'y' * 300):
        machine.type(typed)
        machine.listen(0.3)
        machine.type(CTRL_C)
        output = machine.prompt(limit=5)
        if not output.endswith('^C\n') or 'cannot run' in output:
            raise Wrong('%r and ^C at the prompt: %r' % (typed, output))
        if machine.run('echo fine').strip() != 'fine':
            raise Wrong('after %r and ^C a line does not run' % typed)


def check_processes(machine):
    machine.type('jobtest crowd 300\n')
    machine.expect('has begun', limit=60)
    start = len(machine.log)
    machine.type(CTRL_P)
    machine.listen(2)
    rows = re.findall(r'^\d+ \w hart \d+ jobtest$', machine.log[start:], re.M)
    if len(rows) != 301 or len(set(rows)) != 301:
        raise Wrong('^P shows %d of 301 processes' % len(set(rows)))
    machine.type(CTRL_C)
    machine.prompt(limit=30)
    machine.run('jobtest crowd 300 &')
    machine.expect('has begun', limit=60)
    machine.type('\n')
    machine.prompt(limit=20)
    if names(machine).count('jobtest') != 301:
        raise Wrong('ps shows %d of 301 processes' % names(machine).count('jobtest'))


# Commands, and what they print.
COMMANDS = [
    ('echo seen >> console', 'seen\n'),
    ('echo one > file; echo two >> file; cat file; rm file', 'one\ntwo\n'),
    ('mkdir folder; cd folder > made; mkdir inner; cd /; ls folder | wc', '3 12 69 \n'),
    ('cat made | wc', '0 0 0 \n'),
    ('cd /nowhere > made; echo $?', 'sh: cannot change to /nowhere\n1\n'),
    ('cd / > /no/such; echo $?', 'sh: cannot open /no/such\n1\n'),
    ('rm folder/inner folder made', ''),
    ('jobtest foreign; echo $?', '0\n'),
]


def check_shell(machine):
    for command, wanted in COMMANDS:
        output = machine.run(command, limit=10)
        if output != wanted:
            raise Wrong('%s: expected %r, seen %r' % (command, wanted, output))
    machine.run('(cat; sleep 20) &')  # its input ends at once
    if machine.run('echo mine', limit=5) != 'mine\n':
        raise Wrong('a job in the background has read the line')
    expect_names(machine, ['init', 'sh', 'sh', 'sh', 'sleep'], 'a job in the background')


CHECKS = {'idle': check_idle, 'lines': check_lines, 'paste': check_paste, 'flood': check_flood,
          'longest': check_longest, 'interrupt': check_interrupt, 'forks': check_forks,
          'prompt': check_prompt, 'processes': check_processes, 'shell': check_shell}


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
