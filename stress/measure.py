"""measure.py: what the scripts that measure the kernel share: a guest whose first program does the
measuring, its rows, the figures that were accepted last, and the options for them."""

import json
import os
import re
import subprocess
import sys

sys.dont_write_bytecode = True  # all output belongs in build/
TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
import guest as guests  # noqa: E402

WORSE = 1.05
ACCEPTED_GCC = '12'   # the compiler of the accepted figures
OTHER_WORSE = 1.3     # allowed to code that another one made
FLAGS = 'build/obj/kernel/flags'  # its first word is the compiler of the kernel at hand
LIMIT = 200           # seconds; most programs take a few on a fast machine
EXACT = '-icount shift=0,sleep=off -seed 1 -rtc base=2024-01-01,clock=vm'
ROW = re.compile(r'^(\S.*?) {2,}(\d+) +(\d+) +(\d+)$', re.M)


class MeasureError(Exception):
    pass


def parse(text):
    """-> {row: [min, median, max]} in the order of the output."""
    return {name: [int(n) for n in numbers] for name, *numbers in ROW.findall(text)}


def boot(program, mem, qemu, tree='.'):
    """-> the rows of one hart that runs this program instead of init; its disk is in RAM."""
    kernel, image = (os.path.join(tree, 'build', name) for name in ('kernel', 'fs.img'))
    command = guests.qemu_command(kernel, None, cpus=1, mem=mem, qemu=qemu,
                                  append='root=ram init=/' + program,
                                  extra='%s -initrd %s' % (EXACT, image))
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              universal_newlines=True, timeout=LIMIT)
    except OSError as error:
        raise MeasureError(str(error))
    except subprocess.TimeoutExpired as error:
        said = (error.output or b'').decode(errors='replace')
        raise MeasureError('%s has not ended in %d seconds\n%s' % (program, LIMIT, said[-500:]))
    rows = parse(done.stdout.replace('\r', ''))
    if done.returncode != 0 or not rows:
        raise MeasureError('%s ended with status %d\n%s' % (program, done.returncode,
                                                            done.stdout[-500:]))
    return rows


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


def allowance(flags=FLAGS):
    """How much more than accepted a row of instructions may cost."""
    with open(flags) as file:
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


def dearer(figures, accepted):
    """The complaints about instructions, whichever compiler made the kernel."""
    return complaints(figures, accepted, allowance())


def gnuplot(script, image):
    try:
        done = subprocess.run(['gnuplot'], input=script, universal_newlines=True)
    except FileNotFoundError:
        raise MeasureError('gnuplot is missing: install gnuplot-nox')
    if done.returncode:
        raise MeasureError('gnuplot failed')
    print('drawn: ' + image)


def main(target, parser, accepted, work, check=None):
    """A script's main.  work(args) measures, prints, and -> figures, or None if there are none to
    keep; check(figures, accepted ones) -> complaints."""
    guests.terminate_politely()
    parser.add_argument('--accept', action='store_true')
    parser.add_argument('--json', metavar='FILE')
    parser.add_argument('--qemu', default='qemu-system-riscv64')
    if check:
        parser.add_argument('--check', action='store_true')
    args = parser.parse_args()
    os.chdir(TOP)
    wrong = []
    try:
        figures = work(args)
        for path in [args.json] + ([accepted] if args.accept else []):
            if path and figures is not None:
                save(path, figures)
        if check and args.check:
            wrong = list(check(figures, load(accepted)))
    except (MeasureError, guests.GuestError, subprocess.CalledProcessError) as error:
        sys.exit('%s: %s' % (target, error))
    for line in wrong:
        print('worse: ' + line)
    sys.exit(1 if wrong else 0)
