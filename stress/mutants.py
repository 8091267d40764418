#!/usr/bin/env python3
"""mutants.py: breaks the kernel on purpose, and sees which tests notice; `make mutants`.

usage: mutants.py [--some N] [--seed S] [--table FILE] [--no-control] [--parallel N]
                  [NAME ...]

stress/mutants/NAME.patch is one classic mistake: a patch to kernel/, below lines
that say what it is about:

    pitfalls: 10, 53            rows of the list of known mistakes that it repeats
    broken: a sentence
    test: COMMAND               has to fail in the guest; each such line has to.
                                `fsck`: the disk that is left must be inconsistent
    run: COMMAND                is only run, before what follows
    host: SCRIPT ARGUMENTS      of stress/; has to fail, on the host
    build, cpus, mem, append, extra, limit: the guest, and seconds for a command
    tries: N                    boots in which a race may be lost; else one must do

A copy of the tree in build/mutants/ is patched, one mistake at a time, built and
booted.  Failing is a test that says so, a panic, a hang, or a status other than 0.
All commands first run on the kernel as it is, where none may fail (--no-control
leaves that out).  A mutant that survives, a patch that no longer applies or does
not build is a failure.  The last line is `N passed, N failed`.

--some N takes N mutants, chosen by --seed (a number; the date, if there is none), of
those that one boot catches for certain.
--table writes the last verdict on every mutant, and why other mistakes have none.
"""

import argparse
import datetime
import filecmp
import json
import os
import random
import re
import shlex
import shutil
import subprocess
import sys
import time

sys.dont_write_bytecode = True  # all output belongs in build/
TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(TOP, 'user'))  # for fsck.py
import guest as guests  # noqa: E402
from patching import PatchError, apply_patch  # noqa: E402
from report import Result, tally  # noqa: E402
from trial import Boot, in_brief  # noqa: E402

FOLDER = 'stress/mutants'
WORK = 'build/mutants'
TREE = os.path.join(WORK, 'tree')
VERDICTS = os.path.join(WORK, 'verdicts.json')
PARTS = ['Makefile', 'README.md', 'kernel', 'user', 'stress']
KERNELS = {'default': 'build/kernel', 'debug': 'build/debug/kernel'}
IMAGE = os.path.join(TREE, 'build/fs.img')
SHAPE = {'build': 'default', 'cpus': '4', 'mem': '128M', 'append': '', 'extra': ''}
LIMIT = 40
STEPS = ('test', 'run', 'host')


class Failure(Exception):
    """Why a mutant does not count as caught."""


class Mutant:
    """One patch and what its head says."""

    def __init__(self, name):
        self.name = name
        self.patch = os.path.join(FOLDER, name + '.patch')
        self.pitfalls, self.broken, self.limit, self.tries = [], '', LIMIT, 1
        self.shape = dict(SHAPE)
        self.steps = []  # (kind, command)
        with open(self.patch) as file:
            head, marker, rest = file.read().partition('\n--- ')
        self.diff = marker[1:] + rest
        for line in head.splitlines():
            key, _, value = line.partition(':')
            self._take(key, value.strip())
        if not (self.pitfalls and self.broken and self.diff
                and any(kind != 'run' for kind, _ in self.steps)):
            raise Failure('%s: its head is not complete' % self.patch)

    def _take(self, key, value):
        if key == 'pitfalls':
            self.pitfalls = [int(number) for number in value.split(',')]
        elif key == 'broken':
            self.broken = value
        elif key in ('limit', 'tries'):
            setattr(self, key, int(value))
        elif key in STEPS:
            self.steps.append((key, value))
        elif key in self.shape:
            self.shape[key] = value
        else:
            raise Failure('%s: there is no key %r' % (self.patch, key))

    @property
    def expected(self):
        return [command for kind, command in self.steps if kind != 'run']


# ---- the tree --------------------------------------------------------------

def files_below(root):
    for part in PARTS:
        path = os.path.join(root, part)
        if os.path.isfile(path):
            yield part
        for folder, folders, names in os.walk(path):
            folders[:] = [name for name in folders if name != '__pycache__']
            for name in names:
                yield os.path.relpath(os.path.join(folder, name), root)


def sync_tree():
    """Makes the copy equal to the original; touches only files that differ."""
    wanted = set(files_below('.'))
    for name in wanted:
        copy = os.path.join(TREE, name)
        if not (os.path.exists(copy) and filecmp.cmp(name, copy, shallow=False)):
            os.makedirs(os.path.dirname(copy), exist_ok=True)
            shutil.copyfile(name, copy)  # newer than what was built from it
    for name in set(files_below(TREE)) - wanted:
        os.remove(os.path.join(TREE, name))


def make(args, build, *targets):
    environment = {name: value for name, value in os.environ.items()
                   if name not in ('MAKEFLAGS', 'MFLAGS', 'MAKEOVERRIDES', 'MAKELEVEL', 'DEBUG')}
    command = [args.make, '-s', '-C', TREE, '-j%d' % guests.HOST_CORES, *targets]
    if args.toolprefix:
        command.append('TOOLPREFIX=' + args.toolprefix)
    if build == 'debug':
        command.append('DEBUG=1')
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          universal_newlines=True, env=environment)
    if done.returncode:
        errors = re.findall(r'^.*\berror: .*', done.stdout, re.M) or [done.stdout[-500:]]
        raise Failure('it does not build: ' + errors[0])


# ---- verdicts --------------------------------------------------------------

def perform_on_host(args, mutant, command):
    script, *words = shlex.split(command)
    kernel = os.path.join(TREE, KERNELS[mutant.shape['build']])
    done = subprocess.run(
        [sys.executable, os.path.join('stress', script), *words, '--kernel', kernel,
         '--image', IMAGE, '--qemu', args.qemu],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True)
    if done.returncode == 0:
        return ''
    said = re.findall(r'^.*(?:FAILED|Error|error).*', done.stdout, re.M) or [done.stdout[-200:]]
    return '%s: %s' % (script, in_brief(said[0]))


def boot_of(args, shape):
    options = {name: value for name, value in shape.items() if name != 'build'}
    options['cpus'] = int(options['cpus'])
    return Boot(os.path.join(TREE, KERNELS[shape['build']]), IMAGE, qemu=args.qemu, **options)


def keep_log(name, text):
    with open(os.path.join(WORK, name + '.log'), 'w') as file:
        file.write(text)


def challenge(args, mutant):
    """Runs the tests on a kernel that is built -> what each of them said."""
    seen = []
    with boot_of(args, mutant.shape) as boot:
        try:
            for kind, command in mutant.steps:
                if kind == 'host':
                    said = perform_on_host(args, mutant, command)
                else:
                    said = boot.perform(command, mutant.limit)
                if said and kind == 'run':
                    said = ''
                elif not said and kind != 'run':
                    raise Failure('it survives %s' % command)
                if said:
                    seen.append(said)
        finally:
            boot.end()
            keep_log(mutant.name, boot.log)
    return seen


def challenge_often(args, mutant):
    """The same, in as many boots as it takes; -> also how many that was."""
    for attempt in range(1, mutant.tries + 1):
        try:
            return challenge(args, mutant), attempt
        except Failure:
            if attempt == mutant.tries:
                raise
    raise Failure('tries is not a number of boots')


def judge(args, mutant):
    """-> Result; its log field is what caught the mutant."""
    start = time.monotonic()
    failure, seen = '', []
    try:
        sync_tree()
        apply_patch(TREE, mutant.diff)
        make(args, mutant.shape['build'], KERNELS[mutant.shape['build']])
        seen, boots = challenge_often(args, mutant)
        if boots > 1:
            seen.append('in boot %d' % boots)
    except (Failure, PatchError) as error:
        failure = str(error)
    return Result(mutant.name, time.monotonic() - start, failure, '; '.join(seen))


def control(args, mutants):
    """Runs every command on the kernel as it is -> Results, one a shape of guest."""
    shapes = {}
    for mutant in mutants:
        commands = shapes.setdefault(tuple(mutant.shape.items()), {})
        for step in mutant.steps:
            commands[step] = mutant
    for build in sorted({dict(shape)['build'] for shape in shapes}):
        make(args, build, KERNELS[build])
    for shape, commands in shapes.items():
        yield control_shape(args, dict(shape), commands)


def control_shape(args, shape, commands):
    start = time.monotonic()
    wrong = []
    with boot_of(args, shape) as boot:
        for (kind, command), mutant in sorted(commands.items(), key=lambda item: item[0][0]):
            if kind == 'host':
                wrong.append(perform_on_host(args, mutant, command))
            elif command != 'fsck':
                wrong.append(boot.perform(command, mutant.limit))
        if boot.machine:
            wrong.append(boot.perform('fsck', 0))
        boot.end()
        name = 'control, %s' % ', '.join('%s=%s' % item for item in shape.items() if item[1])
        keep_log(re.sub(r'\W+', '_', name), boot.log)
    return Result(name, time.monotonic() - start, '; '.join(filter(None, wrong)), 'nothing fails')


# ---- the table -------------------------------------------------------------

def load_verdicts():
    try:
        with open(VERDICTS) as file:
            return json.load(file)
    except FileNotFoundError:
        return {}


def save_verdict(mutant, result):
    verdicts = load_verdicts()
    verdicts[mutant.name] = [mutant.diff, result.failure, result.log, result.seconds]
    with open(VERDICTS, 'w') as file:
        json.dump(verdicts, file, indent=1)


def write_table(path, mutants):
    verdicts = load_verdicts()
    with open(os.path.join(FOLDER, 'without')) as file:
        without = [line.rstrip().split(': ', 1) for line in file if line.strip()]
    with open(path, 'w') as out:
        out.write('# Mistakes on purpose\n\n'
                  'Each patch here is one classic mistake; `make mutants` puts them into a copy\n'
                  'of the kernel, one at a time, and runs the tests that must notice.  This page\n'
                  'is written by it (`stress/mutants.py --table`).  The numbers are those of the\n'
                  'list of pitfalls that the tests name as well.\n\n'
                  '| pitfalls | mutant | what is broken | must fail | seen to fail | s |\n'
                  '|---|---|---|---|---|---|\n')
        for mutant in sorted(mutants, key=lambda m: (m.pitfalls, m.name)):
            diff, failure, seen, seconds = verdicts.get(mutant.name, ['', '', '', 0])
            if diff != mutant.diff:
                failure, seen, seconds = 'not run yet', '', 0
            shape = ['%s=%s' % (key, value) for key, value in mutant.shape.items()
                     if value != SHAPE[key]]
            cells = [', '.join(map(str, mutant.pitfalls)), mutant.name, mutant.broken,
                     '; '.join('`%s`' % command for command in mutant.expected)
                     + (' (%s)' % ', '.join(shape) if shape else '')
                     + (' in one of %d boots' % mutant.tries if mutant.tries > 1 else ''),
                     seen or '**%s**' % failure, '%d' % seconds]
            out.write('| %s |\n' % ' | '.join(cell.replace('|', '\\|') for cell in cells))
        out.write('\n## Pitfalls without a mutant\n\n')
        for numbers, reason in without:
            out.write('- %s: %s\n' % (numbers, reason))


# ---- the command line ------------------------------------------------------

def arguments():
    parser = argparse.ArgumentParser(description='breaks the kernel and runs the tests')
    parser.add_argument('--some', type=int, metavar='N')
    parser.add_argument('--seed', type=int, default=datetime.date.today().toordinal())
    parser.add_argument('--table', metavar='FILE')
    parser.add_argument('--no-control', action='store_true')
    parser.add_argument('--parallel', type=int, default=1, metavar='N',
                        help='guests on this machine at the same time, those of others included')
    parser.add_argument('--make', default='make')
    parser.add_argument('--qemu', default='qemu-system-riscv64')
    parser.add_argument('--toolprefix', default='')
    parser.add_argument('names', nargs='*', metavar='NAME')
    return parser.parse_args()


def choose(args, mutants):
    unknown = set(args.names) - {mutant.name for mutant in mutants}
    if unknown:
        sys.exit('mutants: there is none called %s' % ', '.join(sorted(unknown)))
    chosen = [mutant for mutant in mutants if not args.names or mutant.name in args.names]
    if args.some is not None:
        chosen = [mutant for mutant in chosen if mutant.tries == 1]
        chosen = random.Random(args.seed).sample(chosen, min(args.some, len(chosen)))
        print('seed %d' % args.seed)
    return chosen


def show(result, about=''):
    print('%-4s %s%s (%.1fs)\n     %s' % ('FAIL' if result.failure else 'ok', result.name, about,
                                         result.seconds, result.failure or result.log))
    sys.stdout.flush()


def main():
    guests.terminate_politely()
    args = arguments()
    guests.parallel = args.parallel
    os.chdir(TOP)
    os.makedirs(TREE, exist_ok=True)
    try:
        mutants = [Mutant(name[:-len('.patch')]) for name in sorted(os.listdir(FOLDER))
                   if name.endswith('.patch')]
        chosen = choose(args, mutants)
        sync_tree()
        make(args, 'default', 'build/fs.img')
        results = []
        for result in () if args.no_control else control(args, chosen):
            show(result)
            results.append(result)
    except Failure as error:
        sys.exit('mutants: %s' % error)
    for mutant in chosen:
        result = judge(args, mutant)
        show(result, ', pitfalls ' + ', '.join(map(str, mutant.pitfalls)))
        save_verdict(mutant, result)
        results.append(result)
    if args.table:
        write_table(args.table, mutants)
    print(tally(results))
    sys.exit(1 if any(result.failure for result in results) else 0)


if __name__ == '__main__':
    main()
