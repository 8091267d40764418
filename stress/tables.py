"""Tables of a campaign's runs, as text, Markdown and CSV.

A run is a dictionary, a line of runs.jsonl as stress/campaign writes it.  Nothing
is run or judged here.
"""

import csv

COLUMNS = ['program', 'build', 'cpus', 'mem', 'seed', 'kernel', 'when', 'seconds', 'operations',
           'lives', 'killed', 'lost', 'passed', 'failed', 'failure', 'log', 'repeat']
HEAD = ['program', 'build', 'runs', 'failures', 'operations', 'frames lost', 'machine s']


def summed(records, index):
    """Operations (0), lives (1) or kills (2) of all storms."""
    return sum(numbers[index] for record in records for numbers in record['storms'].values())


def failures(records):
    return sum(bool(record['failure']) for record in records)


def seconds(records):
    return sum(record['seconds'] for record in records)


def mebibytes(mem):
    """Sorts 64M before 1G."""
    number, unit = (mem[:-1], mem[-1]) if mem[-1].isalpha() else (mem, 'M')
    return float(number) * {'K': 1 / 1024, 'M': 1, 'G': 1024}.get(unit.upper(), 1)


def row(name, build, records):
    lost = [record['lost'] for record in records if record['lost'] is not None]
    return [name, build, str(len(records)), str(failures(records)), str(summed(records, 0) or '-'),
            str(sum(lost)) if lost else '-', '%.0f' % seconds(records)]


def by_program(records):
    keys = sorted({(record['program'], record['build']) for record in records})
    rows = [row(*key, [r for r in records if (r['program'], r['build']) == key]) for key in keys]
    return [HEAD] + rows + [row('all', '', records)]


def by_shape(records):
    """Runs/failures for each number of harts and size of memory."""
    mems = sorted({record['mem'] for record in records}, key=mebibytes)
    rows = [['CPUS'] + mems]
    for cpus in sorted({record['cpus'] for record in records}):
        cells = [[r for r in records if (r['cpus'], r['mem']) == (cpus, mem)] for mem in mems]
        rows.append([str(cpus)] + ['%d/%d' % (len(cell), failures(cell)) for cell in cells])
    return rows


def as_text(rows):
    """Words to the left, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*rows)]
    left = [any(c.isalpha() for cells in rows[1:] for c in cells[i]) for i in range(len(widths))]
    lines = ['  '.join(cell.ljust(width) if words else cell.rjust(width)
                       for cell, width, words in zip(cells, widths, left)) for cells in rows]
    return ''.join(line.rstrip() + '\n' for line in lines)


def as_markdown(rows):
    lines = [rows[0], ['---'] * len(rows[0])] + rows[1:]
    return ''.join('| %s |\n' % ' | '.join(cell.replace('|', '\\|') for cell in cells)
                   for cells in lines)


def report(records, form):
    """Both tables and what they are of, in the given form."""
    kernels = sorted({'%s %s' % (record['build'], record['kernel']) for record in records})
    end = '%.2f hours of machine time%s\n' % (
        seconds(records) / 3600, ''.join(', ' + kernel for kernel in kernels))
    if not records:
        return end
    return '%s\nRuns/failures by CPUS and MEM:\n\n%s\n%s' % (
        form(by_program(records)), form(by_shape(records)), end)


def write_csv(path, records):
    with open(path, 'w', newline='') as file:
        out = csv.DictWriter(file, COLUMNS, extrasaction='ignore')
        out.writeheader()
        for record in records:
            out.writerow(dict(record, operations=summed([record], 0), lives=summed([record], 1),
                              killed=summed([record], 2)))
