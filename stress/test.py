#!/usr/bin/env python3
"""test.py: everything that continuous integration runs; `make test`.

usage: test.py [--quick] [--junit FILE] [--jobs N] [FILTER ...]

Copies the tree to build/test/tree, so that what is in build/ stays as it is, above all
the disk with what has been written to it.  There it builds both kernels, tests the
host's tools, and runs the programs below in guests of many shapes, each in a boot of
its own, several boots at a time.  A program passes when it ends with status 0, the
machine powers off well, and the disk it leaves is consistent.  Five mistakes made on purpose (mutants.py), others
each day, must be noticed.  FILTERs choose tests whose names contain one of
them.  Logs are in build/test/; the last line is `N passed, N failed`.
"""

import argparse
import concurrent.futures
import datetime
import filecmp
import os
import re
import shutil
import subprocess
import sys
import threading
import time

sys.dont_write_bytecode = True  # all output belongs in build/
TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(TOP, 'user'))
import fsck  # noqa: E402
import guest as guests  # noqa: E402
from mkfs import read_whole  # noqa: E402
from report import Result, tally, write_junit  # noqa: E402

LOGS = os.path.join(TOP, 'build/test')
TREE = os.path.join(LOGS, 'tree')
KERNELS = {'default': 'build/kernel', 'debug': 'build/debug/kernel'}

# Command and the seconds that it may take on a fast machine.
PROGRAMS = [('lazytests', 120), ('cowtest', 120), ('stress -t 20', 90), ('threadtest', 240),
            ('usertests -q', 400)]
# Guests in which only the first two of them run.
UNUSUAL = [{'cpus': 4, 'mem': '32M'}, {'cpus': 32}, {'cpus': 4, 'mem': '1G'},
           {'cpus': 4, 'extra': '-global virtio-mmio.force-legacy=true'},
           {'cpus': 2, 'extra': '-cpu rv64,sstc=false'}]


# Harts run in turn, and change over where the seed says: another schedule each day.
IN_TURN = '-icount shift=0,sleep=off -seed 1 -rtc base=2024-01-01,clock=vm -initrd '
SEED_OF_THE_DAY = datetime.date.today().toordinal() % 1000 + 1


class Test:
    """A name and a function that runs it: -> (what is wrong or '', its output).

    Lines of the output that match the pattern `tell` are printed even if it passes.
    """

    def __init__(self, name, run, tell=None):
        self.name, self.run, self.tell = name, run, tell


def in_guest(args, kernel, line, limit, **shape):
    def run():
        machine = None
        try:
            with guests.Guest(kernel, args.image, qemu=args.qemu, **shape) as machine:
                machine.boot()
                _, status = machine.command(line, limit=limit)
                left = machine.poweroff(0)
                problems = fsck.check(read_whole(machine.image))
        except guests.GuestError as error:
            return str(error), machine.log if machine else ''
        if status != 0:
            return 'it ended with status %s' % status, machine.log
        if left != 0:
            return 'the machine powered off with status %d' % left, machine.log
        return '\n'.join(problems), machine.log
    return run


def on_host(*command):
    def run():
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              universal_newlines=True, env=clean_environment())
        if done.returncode:
            return 'status %d: %s' % (done.returncode, done.stdout[-2000:]), done.stdout
        warnings = [line for line in done.stdout.splitlines() if 'warning:' in line]
        return '\n'.join(warnings), done.stdout
    return run


def clean_environment():
    """Without the knobs of the make that called: what is built here is given here."""
    return {name: value for name, value in os.environ.items()
            if name not in ('MAKEFLAGS', 'MFLAGS', 'MAKEOVERRIDES', 'MAKELEVEL', 'DEBUG')}


def mutants_of_the_day(args):
    command = [sys.executable, 'stress/mutants.py', '--some', '5', '--parallel', str(args.jobs),
               '--make', args.make, '--qemu', args.qemu, '--toolprefix', args.toolprefix]
    return Test('five mutants of the day', on_host(*command), tell=r'^\w+ +[\w-]+, pitfalls.*')


def builds(args):
    make = [args.make, '-j%d' % guests.HOST_CORES, 'STRICT=1']
    if args.toolprefix:
        make.append('TOOLPREFIX=' + args.toolprefix)
    return [Test('build default', on_host(*make)),
            Test('build debug', on_host(*make, 'DEBUG=1'))]


def tests(args):
    """Long ones first, so that the last minutes are not those of one alone."""
    found = [Test('host tools', on_host(sys.executable, 'stress/hosttest.py')),
             Test('memory order in the instructions',
                  on_host(sys.executable, 'stress/ordertest.py'), tell=r'^ok +all images.*'),
             Test('no row of the bench 5 % worse',
                  on_host(sys.executable, 'stress/benchrun.py', '--check', '--qemu', args.qemu)),
             Test('no cost grows otherwise',
                  on_host(sys.executable, 'stress/growthrun.py', '--check', '--qemu', args.qemu)),
             Test('no more memory for a process or a page',
                  on_host(sys.executable, 'stress/memoryrun.py', '--check', '--qemu', args.qemu))]
    found += [Test(name, on_host(sys.executable, 'stress/' + script, *options, '--qemu', args.qemu,
                                 '--image', args.image))
              for name, script, *options in
              (('panics end well', 'panictest.py', '--count', '12' if args.quick else '36'),
               ('a host that pauses is no bug', 'pausetest.py'),
               ('a person at the prompt', 'promptcheck.py'))]
    found.append(Test('other machines and processors',
                      on_host(sys.executable, 'stress/machines.py', '--quick', '--qemu', args.qemu,
                              '--image', args.image)))
    found.append(Test('no neighbour costs more than its share',
                      on_host(sys.executable, 'stress/neighbourrun.py', '--quick', '--qemu',
                              args.qemu)))
    found.append(Test('the first program survives the end of memory',
                      on_host(sys.executable, 'stress/initmem.py', '--qemu', args.qemu)))
    if not args.quick:
        found.append(mutants_of_the_day(args))
    for line, limit in reversed(PROGRAMS):
        for cpus in (4,) if args.quick else (8, 4, 2, 1):
            for build, kernel in KERNELS.items():
                found.append(Test('%s, %s, CPUS=%d' % (line, build, cpus),
                                  in_guest(args, kernel, line, limit, cpus=cpus)))
    for build, kernel in KERNELS.items():
        found.append(Test('slow terminals, %s' % build,
                          on_host(sys.executable, 'stress/portcheck.py', '--qemu', args.qemu,
                                  '--kernel', kernel)))
    for build, kernel in KERNELS.items():
        found.append(Test('disks of every kind, %s' % build,
                          on_host(sys.executable, 'stress/disktest.py', '--qemu', args.qemu,
                                  '--kernel', kernel)))
    found.append(Test('corrupt disks of the day',
                      on_host(sys.executable, 'stress/fuzzdisk.py', '--seed',
                              str(datetime.date.today().toordinal()), '--qemu', args.qemu),
                      tell=r'^\d+ boots: .*'))
    for shape in UNUSUAL[:0 if args.quick else None]:
        words = ', '.join('%s=%s' % (name.upper(), value) for name, value in shape.items())
        for line, limit in PROGRAMS[:2]:
            found.append(Test('%s, default, %s' % (line, words),
                              in_guest(args, KERNELS['default'], line, limit, **shape)))
    for build, kernel in () if args.quick else KERNELS.items():
        found.append(Test('threadtest, %s, 2 harts in turn, seed=%d' % (build, SEED_OF_THE_DAY),
                          in_guest(args, kernel, 'threadtest', 400, cpus=2,
                                   append='root=ram watchdog=20 seed=%d' % SEED_OF_THE_DAY,
                                   extra=IN_TURN + args.image)))
    found += [Test('turns are even: %s, %d harts in turn' % (line, cpus),
                   in_guest(args, KERNELS['default'], line, 120, cpus=cpus, append='root=ram',
                            extra=IN_TURN + args.image))
              for line, cpus in (('turns 2 0 300', 1), ('turns 0 8 1000', 2), ('handover', 1))]
    found.append(Test('consistent after crashes',
                      on_host(sys.executable, 'stress/crash.py', '--seed', str(SEED_OF_THE_DAY),
                              '--calls', '60' if args.quick else '150', '--qemu', args.qemu,
                              '--image', args.image), tell=r'^\d+ states.*'))
    return [test for test in found
            if not args.filters or any(word in test.name for word in args.filters)]


def files_below(root):
    """-> the paths of the tree's files, without what is hidden or built."""
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders
                      if name[0] != '.' and name != '__pycache__' and
                      (folder, name) != (root, 'build')]
        yield from (os.path.relpath(os.path.join(folder, name), root) for name in names)


def copy_tree():
    """Makes the copy equal to the original; touches only files that differ."""
    wanted = set(files_below(TOP))
    for name in wanted:
        original, copy = os.path.join(TOP, name), os.path.join(TREE, name)
        if not (os.path.exists(copy) and filecmp.cmp(original, copy, shallow=False)):
            os.makedirs(os.path.dirname(copy), exist_ok=True)
            shutil.copy2(original, copy)
            os.utime(copy)  # newer than what was built from it
    for name in set(files_below(TREE)) - wanted:
        os.remove(os.path.join(TREE, name))


printing = threading.Lock()


def perform(test):
    start = time.monotonic()
    failure, output = test.run()
    name = ''.join(c if c.isalnum() or c in '=-' else '_' for c in test.name)
    log = os.path.join(LOGS, name + '.log')
    with open(log, 'w') as file:
        file.write(output)
    result = Result(test.name, time.monotonic() - start, failure, log)
    with printing:
        print('%-4s %s (%.1fs)' % ('FAIL' if failure else 'ok', test.name, result.seconds))
        if failure:
            print('    %s\n    log: %s' % (failure.replace('\n', '\n    '), log))
        elif test.tell:
            for line in re.findall(test.tell, output, re.M):
                print('    ' + line)
        sys.stdout.flush()
    return result


def arguments():
    parser = argparse.ArgumentParser(description='builds everything and tests it')
    parser.add_argument('--quick', action='store_true', help='CPUS=4 only, a few minutes')
    parser.add_argument('--junit', metavar='FILE')
    parser.add_argument('--jobs', type=int, default=min(4, guests.HOST_CORES),
                        help='guests at the same time')
    parser.add_argument('--image', default='build/fs.img', help='in build/test/tree')
    parser.add_argument('--make', default='make')
    parser.add_argument('--qemu', default='qemu-system-riscv64')
    parser.add_argument('--toolprefix', default='')
    parser.add_argument('filters', nargs='*', metavar='FILTER')
    return parser.parse_args()


def main():
    guests.terminate_politely()
    args = arguments()
    junit = args.junit and os.path.abspath(args.junit)
    os.makedirs(TREE, exist_ok=True)
    copy_tree()
    os.chdir(TREE)
    guests.parallel = args.jobs
    guests.machine_scale()  # measured while nothing else runs
    results = [perform(test) for test in builds(args)]
    if not any(result.failure for result in results):  # else what is in build/ is stale
        pool = concurrent.futures.ThreadPoolExecutor(args.jobs)
        pending = [pool.submit(perform, test) for test in tests(args)]
        try:
            results += [future.result() for future in pending]
        except BaseException:
            for future in pending:
                future.cancel()
            guests.end_all()
            raise
        finally:
            pool.shutdown()
    if junit:
        write_junit(junit, 'kernel', results)
    print(tally(results))
    sys.exit(1 if any(result.failure for result in results) else 0)


if __name__ == '__main__':
    main()
