"""The runs of a campaign: what they are, their order, and what became of them.

No guest is booted here.  stress/campaign runs them; tables.py sums them up.
"""

import collections
import itertools
import json
import os
import random
import re

CANDIDATES = 32   # among which the next run is chosen


class Run(collections.namedtuple('Run', 'program build cpus mem seed')):
    """What is to be run; {seconds} in its program is filled in, {seed} is not."""

    def __str__(self):
        return '%s, %s, CPUS=%d, MEM=%s, seed=%d' % (self.line, self.build, self.cpus, self.mem,
                                                     self.seed)

    @property
    def line(self):
        return self.program.replace('{seed}', str(self.seed))


def interleaved(runs, seed):
    """-> all of the runs, in an order any beginning of which has a fair share of each
    value of each axis, and of each pair of values.  Equal seeds give equal orders."""
    rest = list(runs)
    random.Random(seed).shuffle(rest)
    used = collections.Counter()
    order = []
    while rest:
        first = max(0, len(rest) - CANDIDATES)
        best = min(range(len(rest) - 1, first - 1, -1),
                   key=lambda i: sum(used[part] for part in parts(rest[i])))
        rest[best], rest[-1] = rest[-1], rest[best]
        order.append(rest.pop())
        used.update(parts(order[-1]))
    return order


def parts(run):
    """Values and pairs of values; a seed is one of very many and pairs with nothing."""
    named = list(enumerate(run))
    return named + list(itertools.combinations(named[:-1], 2))


def run_of(record):
    return Run(*(record[field] for field in Run._fields))


def still_to_run(order, records, retry_failed):
    """Leaves out what has a result; these are those of the kernels that are there now."""
    last = {run_of(record): record for record in records}
    return [run for run in order
            if run not in last or (retry_failed and last[run]['failure'])]


class Book:
    """DIR/runs.jsonl: one line a run that has ended."""

    def __init__(self, path):
        self.path, self.records = path, []
        text = ''
        if os.path.exists(path):
            with open(path) as file:
                text = file.read()
        for line in text.splitlines():
            try:
                self.records.append(json.loads(line))
            except ValueError:
                pass  # its writer was killed half-way
        self._torn = bool(text) and not text.endswith('\n')

    def add(self, record):
        with open(self.path, 'a') as file:
            file.write('%s%s\n' % ('\n' if self._torn else '', json.dumps(record)))
        self._torn = False
        self.records.append(record)

    def of(self, kernels):
        """-> records of these kernels, {build: kernel}, alone."""
        return [record for record in self.records
                if record['kernel'] == kernels.get(record['build'])]

    def newest_kernels(self):
        return {record['build']: record['kernel'] for record in self.records}


def read_output(output):
    """-> what a program of stress/ said of its run, as fields of a record."""
    found = re.findall(r'^([\w-]+): (\d+) operations, (\d+) lives, (\d+) killed', output, re.M)
    frames = re.findall(r'^free frames: (\d+) before, (\d+) after', output, re.M)
    counts = re.findall(r'^(\d+) passed, (\d+) failed', output, re.M)
    passed, failed = map(sum, zip(*(map(int, pair) for pair in counts))) if counts else (0, 0)
    return {'storms': {name: [int(n) for n in numbers] for name, *numbers in found},
            'lost': sum(int(a) - int(b) for a, b in frames) if frames else None,
            'passed': passed, 'failed': failed}


def storm_names(output):
    """What `stress -l` printed -> its names, one a line."""
    return re.findall(r'^ *([a-z][\w-]*)', output, re.M)
