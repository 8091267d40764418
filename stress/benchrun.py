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
import os
import subprocess
import sys

sys.dont_write_bytecode = True  # all output belongs in build/
import measure  # noqa: E402
from measure import MeasureError, boot, load, number  # noqa: E402

PEERS = 'stress/bench/peers.json'
FIGURES = 'stress/bench/figures.json'


def print_beside_peers(figures):
    peers = load(PEERS)
    print('%-40s %12s %12s %12s' % ('instructions', 'min', 'median', 'max')
          + ''.join('%12s' % name for name in peers['peers']))
    for name, numbers in figures.items():
        others = peers['rows'].get(name, [None] * len(peers['peers']))
        print('%-40s' % name + ''.join('%13s' % number(n) for n in numbers)
              + ''.join('%12s' % number(n) for n in others))


def measure_base(args):
    """The figures of another revision, built in build/base."""
    tree = 'build/base'
    found = subprocess.run(['git', 'rev-parse', '-q', '--verify', args.base + '^{commit}'],
                           stdout=subprocess.PIPE, universal_newlines=True)
    if found.returncode:
        raise MeasureError('there is no revision %s' % args.base)
    subprocess.run(['rm', '-rf', tree], check=True)
    subprocess.run(['git', 'clone', '-q', '--no-checkout', '.', tree], check=True)
    subprocess.run(['git', '-C', tree, 'checkout', '-q', found.stdout.strip()], check=True)
    command = [args.make, '-s', '-C', tree]
    if args.toolprefix:
        command.append('TOOLPREFIX=' + args.toolprefix)
    environment = {name: value for name, value in os.environ.items()
                   if name not in ('MAKEFLAGS', 'MFLAGS', 'MAKEOVERRIDES', 'MAKELEVEL', 'DEBUG')}
    if subprocess.run(command, env=environment).returncode:
        raise MeasureError('revision %s does not build' % args.base)
    return boot('bench', '1G', args.qemu, tree)


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
    measure.gnuplot(script, path)


def work(args):
    base = measure_base(args) if args.base else None
    figures = boot('bench', '1G', args.qemu)
    if args.base:
        print_ratios(figures, base, args.base)
    else:
        print_beside_peers(figures)
    if args.plot:
        plot(figures, args.plot)
    return figures


def main():
    parser = argparse.ArgumentParser(description='measures the kernel in instructions')
    parser.add_argument('--base', metavar='REVISION')
    parser.add_argument('--plot', metavar='FILE')
    parser.add_argument('--make', default='make')
    parser.add_argument('--toolprefix', default='')
    measure.main('bench', parser, FIGURES, work, measure.dearer)


if __name__ == '__main__':
    main()
