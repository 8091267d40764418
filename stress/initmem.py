#!/usr/bin/env python3
"""initmem.py: the first program survives the end of memory; see stress/initmem.c.

usage: initmem.py [--qemu PROGRAM] [--kernel build/kernel]
"""

import argparse
import os
import sys

sys.dont_write_bytecode = True  # all output belongs in build/
import guest as guests  # noqa: E402
import measure  # noqa: E402


def main():
    guests.terminate_politely()
    parser = argparse.ArgumentParser(description='the first program at the end of memory')
    guests.add_arguments(parser)  # of which QEMU and the kernel's tree are used
    args = parser.parse_args()
    os.chdir(measure.TOP)
    try:
        tree = os.path.dirname(os.path.dirname(args.kernel))
        rows = measure.boot('initmem', '64M', args.qemu, tree or '.')
    except measure.MeasureError as error:
        sys.exit('FAILED: %s' % error)
    print('\n'.join('%s: %d' % (name, figures[1]) for name, figures in rows.items()))


if __name__ == '__main__':
    main()
