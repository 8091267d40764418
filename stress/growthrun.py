#!/usr/bin/env python3
"""growthrun.py: how costs grow, and whether they grow straight; `make bench-growth`.

usage: growthrun.py [--check | --accept] [--json FILE] [--plots FOLDER]

Boots as benchrun.py does, with the program `growth` in the place of init.  Each of its rows is a
point of a curve (CURVES); of each curve it is told, from the points, whether it is flat or a
straight line, and how far the worst point is off.

--check   a point that costs over 5 % more than stress/bench/growth.json says is an error
--accept  writes that file
--json    writes the points: {"curve @ x": [min, median, max]}
--plots   draws each growth with gnuplot (Debian: gnuplot-nox), growth-NAME.png in that folder
"""

import argparse
import collections
import os
import sys

sys.dont_write_bytecode = True  # all output belongs in build/
import measure  # noqa: E402
from measure import MeasureError, boot, number  # noqa: E402

ACCEPTED = 'stress/bench/growth.json'
FLAT = 0.01      # a curve is flat if no point is further from the middle
STRAIGHT = 0.05  # and straight if none is further from the line

# curve: what is measured; what one x is, and how many of the program's make one; the plot.
Curve = collections.namedtuple('Curve', 'title unit scale plot')
CURVES = {
    'fork call': Curve('fork, the call', 'MiB', 1, 'fork'),
    'fork+exit+wait': Curve('fork+exit+wait', 'MiB', 1, 'fork'),
    'fork call, untouched': Curve('fork, untouched heap', 'GiB', 1024, 'space'),
    'shrink, untouched': Curve('sbrk(-n), untouched heap', 'GiB', 1024, 'space'),
    'exit, untouched': Curve('exit, untouched heap', 'GiB', 1024, 'space'),
    'fork call, sparse': Curve('fork, a page in each 2 MiB', 'GiB', 1024, 'sparse'),
    'shrink, sparse': Curve('sbrk(-n), a page in each 2 MiB', 'GiB', 1024, 'sparse'),
    'exit, sparse': Curve('exit, a page in each 2 MiB', 'GiB', 1024, 'sparse'),
    'fault': Curve('first touch of a page', 'thread', 1, 'threads'),
    'ping-pong, asleep': Curve('ping-pong', 'process asleep', 1, 'processes'),
    'fork+exit+wait, processes': Curve('fork+exit+wait', 'process asleep', 1, 'processes'),
    'sleep, readers': Curve('sleep, others read', 'process asleep', 1, 'processes'),
    'sleep, sleepers': Curve('sleep, others sleep less', 'process asleep', 1, 'processes'),
    'sleep, longer sleepers': Curve('sleep, others sleep more', 'process asleep', 1, 'processes'),
    'kill': Curve('kill', 'process asleep', 1, 'processes'),
    'ping-pong, ready': Curve('ping-pong', 'process ready', 1, 'ready'),
}
PLOTS = {  # its title, and what its x is
    'fork': ('fork of a process with resident memory', 'MiB resident'),
    'space': ('a heap that nobody has touched', 'GiB'),
    'sparse': ('a heap of which one page in each 2 MiB is resident', 'GiB'),
    'threads': ('a fault in a program of several threads', 'threads'),
    'processes': ('among processes that sleep', 'other processes asleep'),
    'ready': ('a round trip of two switches, among processes that are ready',
              'other processes ready'),
}
LOGARITHMIC = ('space', 'sparse')

Line = collections.namedtuple('Line', 'base slope off')  # off: of the worst point, relative


def curves_of(rows):
    """-> {curve: [(x, median)]} in the order of CURVES, x in the curve's unit."""
    points = {name: [] for name in CURVES}
    for row, (_, median, _) in rows.items():
        name, _, x = row.rpartition(' @ ')
        if name not in CURVES:
            raise MeasureError('no such curve: ' + row)
        points[name].append((int(x) / CURVES[name].scale, median))
    empty = [name for name, found in points.items() if not found]
    if empty:
        raise MeasureError('no point of the curve: ' + ', '.join(empty))
    return points


def straight_line(points):
    """-> the Line that makes the sum of the squares of the relative errors least."""
    weights = [1 / y ** 2 for _, y in points]
    total = sum(weights)
    mean_x = sum(w * x for w, (x, _) in zip(weights, points)) / total
    mean_y = sum(w * y for w, (_, y) in zip(weights, points)) / total
    spread = sum(w * (x - mean_x) ** 2 for w, (x, _) in zip(weights, points))
    slope = sum(w * (x - mean_x) * (y - mean_y)
                for w, (x, y) in zip(weights, points)) / spread if spread else 0
    base = mean_y - slope * mean_x
    return Line(base, slope, max(abs(y - base - slope * x) / y for x, y in points))


def flatness(points):
    """-> (the middle between the extremes, how far they are from it, relative)."""
    values = [y for _, y in points]
    middle = (min(values) + max(values)) / 2
    return middle, (max(values) - middle) / middle


def percent(part):
    return '%.1f %%' % (100 * part)


def verdict(points, unit):
    """-> the shape of a curve, in words."""
    middle, off = flatness(points)
    if off <= FLAT:
        return 'flat within %s: %s' % (percent(off), number(round(middle)))
    line = straight_line(points)
    words = '%s %s %s a %s, off by at most %s' % (
        number(round(line.base)), '-' if line.slope < 0 else '+', number(round(abs(line.slope), 1)),
        unit, percent(line.off))
    return ('straight line: ' if line.off <= STRAIGHT else 'neither flat nor straight: ') + words


def print_curves(points):
    print('%-32s %-14s %12s %12s  %s' % ('instructions', 'a', 'first', 'last', 'shape'))
    for name, curve in CURVES.items():
        found = points[name]
        print('%-32s %-14s %12s %12s  %s' % (curve.title, curve.unit, number(found[0][1]),
                                             number(found[-1][1]), verdict(found, curve.unit)))


def script_for(plot, points, image):
    """-> what gnuplot is told; the points are part of it."""
    names = [name for name, curve in CURVES.items() if curve.plot == plot]
    title, across = PLOTS[plot]
    lines = ["set terminal pngcairo noenhanced size 900,600", "set output '%s'" % image,
             "set title '%s'" % title, "set xlabel '%s'" % across,
             "set ylabel 'instructions'", "set key below", "set yrange [0:*]"]
    if plot in LOGARITHMIC:
        lines[-1:] = ['set logscale xy']
    for i, name in enumerate(names):
        lines += ['$curve%d << end' % i] + ['%g %d' % point for point in points[name]] + ['end']
    lines.append('plot ' + ', '.join("$curve%d with linespoints title '%s'"
                                     % (i, CURVES[name].title) for i, name in enumerate(names)))
    return '\n'.join(lines) + '\n'


def draw(points, folder):
    for plot in PLOTS:
        image = os.path.join(folder, 'growth-%s.png' % plot)
        measure.gnuplot(script_for(plot, points, image), image)


def work(args):
    rows = boot('growth', '1G', args.qemu)
    points = curves_of(rows)
    print_curves(points)
    if args.plots:
        draw(points, args.plots)
    return rows


def main():
    parser = argparse.ArgumentParser(description='measures how costs grow')
    parser.add_argument('--plots', metavar='FOLDER')
    measure.main('bench-growth', parser, ACCEPTED, work, measure.dearer)


if __name__ == '__main__':
    main()
