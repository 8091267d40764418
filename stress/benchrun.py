#!/usr/bin/env python3
"""benchrun.py: what the kernel's operations cost, beside what others' do; `make bench`.

usage: benchrun.py [--check | --accept | --base REVISION | --plot FILE] [--json FILE]

Boots the default build on one hart under `-icount shift=0`, with the disk in RAM and the
program `bench` in the place of init, and prints the median of each row in instructions beside the
peers' figures (stress/bench/peers.json).  Two runs agree to the digit.

--check   a row that costs over 5 % more than stress/bench/figures.json says is an error (30 %
          if another compiler made the kernel), and so is a row that is in one of the two alone
--accept  writes that file; the commit that does so says why a row has risen
--base    builds that revision as well, in build/base, and prints the ratio of each row
--plot    draws the rows and the peers with gnuplot (Debian: gnuplot-nox), as SVG or PNG
--json    writes the figures: {row: [min, median, max]}
"""

import argparse
import json
import os
import re
import subprocess
import sys

sys.dont_write_bytecode = True  # all output belongs in build/
TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
import guest as guests  # noqa: E402

PEERS = 'stress/bench/peers.json'
FIGURES = 'stress/bench/figures.json'
WORSE = 1.05
ACCEPTED_GCC = '12'   # the compiler of the accepted figures
OTHER_WORSE = 1.3     # allowed to code that another one made
FLAGS = 'build/obj/kernel/flags'  # its first word is the compiler of the kernel at hand
LIMIT = 200  # seconds; it takes two on a fast machine
EXACT = '-icount shift=0,sleep=off -seed 1 -rtc base=2024-01-01,clock=vm'
ROW = re.compile(r'^(\S.*?) {2,}(\d+) +(\d+) +(\d+)$', re.M)


class BenchError(Exception):
    pass


def parse(text):
    """-> {row: [min, median, max]} in the order of the output."""
    return {name: [int(n) for n in numbers] for name, *numbers in ROW.findall(text)}


def measure(args, tree='.'):
    """-> the figures of the default build in that tree.  Its disk is not written."""
    kernel, image = (os.path.join(tree, 'build', name) for name in ('kernel', 'fs.img'))
    command = guests.qemu_command(kernel, None, cpus=1, mem='1G', append='root=ram init=/bench',
                                  extra='%s -initrd %s' % (EXACT, image), qemu=args.qemu)
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              universal_newlines=True, timeout=LIMIT)
    except OSError as error:
        raise BenchError(str(error))
    except subprocess.TimeoutExpired as error:
        said = (error.output or b'').decode(errors='replace')
        raise BenchError('bench has not ended in %d seconds\n%s' % (LIMIT, said[-500:]))
    figures = parse(done.stdout.replace('\r', ''))
    if done.returncode != 0 or not figures:
        raise BenchError('bench ended with status %d\n%s' % (done.returncode, done.stdout[-500:]))
    return figures


def load(path):
    with open(path) as file:
        return json.load(file)


def save(path, figures):
    lines = ['%s: %s' % (json.dumps(name), json.dumps(row)) for name, row in figures.items()]
    with open(path, 'w') as file:
        file.write('{\n%s\n}\n' % ',\n'.join(lines))


def number(value):
    if value is None:
        return '-'
    return '%.1f M' % (value / 1e6) if value >= 1e7 else format(value, ',')


def print_beside_peers(figures):
    peers = load(PEERS)
    print('%-40s %12s %12s %12s' % ('instructions', 'min', 'median', 'max')
          + ''.join('%12s' % name for name in peers['peers']))
    for name, numbers in figures.items():
        others = peers['rows'].get(name, [None] * len(peers['peers']))
        print('%-40s' % name + ''.join('%13s' % number(n) for n in numbers)
              + ''.join('%12s' % number(n) for n in others))


def allowance():
    """How much more than accepted a row may cost."""
    with open(FLAGS) as file:
        command = [file.read().split()[0], '-dumpversion']
    done = subprocess.run(command, stdout=subprocess.PIPE, universal_newlines=True)
    version = done.stdout.strip()
    if version.split('.')[0] == ACCEPTED_GCC:
        return WORSE
    print('figures of GCC %s were accepted; this is %s: %d %% more is allowed'
          % (ACCEPTED_GCC, version, round(100 * (OTHER_WORSE - 1))))
    return OTHER_WORSE


def complaints(figures, accepted, worse=WORSE):
    """What is missing, was never accepted, or costs more than it may."""
    for name, (_, median, _) in accepted.items():
        if name not in figures:
            yield '%s: there is no such row any more' % name
        elif figures[name][1] > median * worse:
            yield '%s: %d instructions, %d were accepted' % (name, figures[name][1], median)
    for name in figures:
        if name not in accepted:
            yield '%s: a row without accepted figures' % name


def measure_base(args):
    """The figures of another revision, built in build/base."""
    tree = 'build/base'
    found = subprocess.run(['git', 'rev-parse', '-q', '--verify', args.base + '^{commit}'],
                           stdout=subprocess.PIPE, universal_newlines=True)
    if found.returncode:
        raise BenchError('there is no revision %s' % args.base)
    subprocess.run(['rm', '-rf', tree], check=True)
    subprocess.run(['git', 'clone', '-q', '--no-checkout', '.', tree], check=True)
    subprocess.run(['git', '-C', tree, 'checkout', '-q', found.stdout.strip()], check=True)
    command = [args.make, '-s', '-C', tree]
    if args.toolprefix:
        command.append('TOOLPREFIX=' + args.toolprefix)
    environment = {name: value for name, value in os.environ.items()
                   if name not in ('MAKEFLAGS', 'MFLAGS', 'MAKEOVERRIDES', 'MAKELEVEL', 'DEBUG')}
    if subprocess.run(command, env=environment).returncode:
        raise BenchError('revision %s does not build' % args.base)
    return measure(args, tree)


def print_ratios(figures, base, revision):
    print('%-40s %12s %12s %8s' % ('instructions, median', revision[:12], 'here', 'ratio'))
    for name, (_, median, _) in figures.items():
        old = base.get(name, [0, 0, 0])[1]
        ratio = '%.3f' % (median / old) if old else '-'
        print('%-40s %12s %12s %8s' % (name, number(old or None), number(median), ratio))


def plot(figures, path):
    """Bars on a logarithmic scale, one cluster a row."""
    peers = load(PEERS)
    names = ['here'] + peers['peers']
    data = os.path.splitext(path)[0] + '.dat'
    with open(data, 'w') as file:
        for name, (_, median, _) in figures.items():
            values = [median] + peers['rows'].get(name, [None] * len(peers['peers']))
            file.write('"%s" %s\n' % (name, ' '.join('?' if v is None else str(v) for v in values)))
    terminal = 'svg' if path.endswith('.svg') else 'pngcairo'
    bars = ', '.join("'%s' using %d:xtic(1) title '%s'" % (data, i + 2, name)
                     for i, name in enumerate(names))
    script = '''set terminal %s size 1400,700
set output '%s'
set datafile missing '?'
set logscale y
set ylabel 'instructions'
set style data histogram
set style fill solid
set xtics rotate by -40 noenhanced
set key top left
set rmargin 16
plot %s
''' % (terminal, path, bars)
    try:
        done = subprocess.run(['gnuplot'], input=script, universal_newlines=True)
    except FileNotFoundError:
        raise BenchError('gnuplot is missing: install gnuplot-nox')
    if done.returncode:
        raise BenchError('gnuplot failed')


def arguments():
    parser = argparse.ArgumentParser(description='measures the kernel in instructions')
    parser.add_argument('--check', action='store_true')
    parser.add_argument('--accept', action='store_true')
    parser.add_argument('--base', metavar='REVISION')
    parser.add_argument('--plot', metavar='FILE')
    parser.add_argument('--json', metavar='FILE')
    parser.add_argument('--make', default='make')
    parser.add_argument('--qemu', default='qemu-system-riscv64')
    parser.add_argument('--toolprefix', default='')
    return parser.parse_args()


def main():
    guests.terminate_politely()
    args = arguments()
    os.chdir(TOP)
    wrong = []
    try:
        base = measure_base(args) if args.base else None
        figures = measure(args)
        if args.base:
            print_ratios(figures, base, args.base)
        else:
            print_beside_peers(figures)
        if args.plot:
            plot(figures, args.plot)
        if args.json:
            save(args.json, figures)
        if args.accept:
            save(FIGURES, figures)
        if args.check:
            wrong = list(complaints(figures, load(FIGURES), allowance()))
    except (BenchError, subprocess.CalledProcessError) as error:
        sys.exit('bench: %s' % error)
    for line in wrong:
        print('worse: ' + line)
    sys.exit(1 if wrong else 0)


if __name__ == '__main__':
    main()
