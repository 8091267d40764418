#!/usr/bin/env python3
"""Makes the symbol table that kernel backtraces read.

usage: ksyms.py NM_OUTPUT -o FILE.S | --empty -o FILE.S | NM_OUTPUT --same-as FILE.S

NM_OUTPUT is what `nm -n` prints of a linked kernel.  The table lies in section
.ksyms and is sorted by address:

    ksyms:        .word count
                  .word address - kernel_start, offset in ksyms_names    (count times)
    ksyms_names:  NUL-terminated names

--same-as checks that the table is still the one of FILE.S, which says that
linking the table in has moved no function.
"""

import argparse
import sys

TEXT = 'TtWw'
REACH = 1 << 32


def read_symbols(lines):
    """-> [(offset from kernel_start, name)], sorted, one name an address."""
    symbols, start = [], None
    for line in lines:
        fields = line.split()
        if len(fields) != 3:
            continue  # an undefined symbol has no address
        address, kind, name = int(fields[0], 16), fields[1], fields[2]
        if name == 'kernel_start':
            start = address
        # '$x' and '.L5' mark places inside a function.
        if kind in TEXT and name[0] not in '$.':
            symbols.append((address, kind, name))
    if start is None:
        sys.exit('ksyms.py: the kernel has no symbol kernel_start')
    best = {}
    # A global name is the better one of two for the same place.
    for address, kind, name in sorted(symbols, key=lambda s: (s[0], s[1] not in 'TW', s[2])):
        if 0 <= address - start < REACH:
            best.setdefault(address - start, name)
    return sorted(best.items())


def assembly(symbols):
    out = ['  .section .ksyms, "a"', '  .balign 4', '  .global ksyms', 'ksyms:',
           '  .word %d' % len(symbols)]
    names, at = [], 0
    for offset, name in symbols:
        out.append('  .word 0x%x, %d' % (offset, at))
        names.append('  .string "%s"' % name)
        at += len(name) + 1
    out += ['  .global ksyms_names', 'ksyms_names:'] + names
    return '\n'.join(out) + '\n'


def main():
    parser = argparse.ArgumentParser(description='kernel symbol table')
    parser.add_argument('nm', nargs='?')
    parser.add_argument('--empty', action='store_true')
    parser.add_argument('--same-as')
    parser.add_argument('-o', dest='out')
    args = parser.parse_args()
    if bool(args.nm) == args.empty or bool(args.out) == bool(args.same_as):
        parser.error('give NM_OUTPUT or --empty, and -o or --same-as')
    if args.empty:
        table = assembly([])
    else:
        with open(args.nm) as lines:
            table = assembly(read_symbols(lines))
    if args.out:
        with open(args.out, 'w') as out:
            out.write(table)
        return
    with open(args.same_as) as before:
        if before.read() != table:
            sys.exit('ksyms.py: linking the symbol table moved a function: '
                     '.ksyms must stand behind the text')


if __name__ == '__main__':
    main()
