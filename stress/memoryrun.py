#!/usr/bin/env python3
"""memoryrun.py: what the kernel needs memory for; `make bench-memory`.

usage: memoryrun.py [--check | --accept] [--json FILE]

Boots the default build with the program `memory` in the place of init, at several sizes of RAM.
That program reads the kernel's count of frames; what stands in fixed tables is added here from the
kernel's symbols.  All figures repeat.

--check   a row worse than stress/bench/memory.json says is an error
--accept  writes that file
--json    writes the figures: {row: [min, median, max]}
"""

import argparse
import os
import re
import struct
import sys

sys.dont_write_bytecode = True  # all output belongs in build/
TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
import guest as guests  # noqa: E402
from benchrun import BenchError, load, save  # noqa: E402
from growthrun import boot  # noqa: E402

ACCEPTED = 'stress/bench/memory.json'
KERNEL = 'build/kernel'
PARAM = 'user/include/kernel/param.h'
MIB, PAGE = 1 << 20, 4096
SMALL, LARGE, LEAST = 64, 128, 32  # MiB of RAM
HEAP = 64 * MIB

SECTION = struct.Struct('<IIQQQQIIQQ')
SYMBOL = struct.Struct('<IBBHQQ')
SYMTAB = 2


def symbol_sizes(elf):
    """-> {name: bytes} of an ELF file for 64 bits."""
    start, = struct.unpack_from('<Q', elf, 40)
    size, count = struct.unpack_from('<HH', elf, 58)
    sections = [SECTION.unpack_from(elf, start + i * size) for i in range(count)]
    found = {}
    for _, kind, _, _, offset, length, link, _, _, _ in sections:
        if kind != SYMTAB:
            continue
        names = sections[link][4]
        for at in range(offset, offset + length, SYMBOL.size):
            name, _, _, _, _, bytes_of = SYMBOL.unpack_from(elf, at)
            end = elf.index(b'\0', names + name)
            found[elf[names + name:end].decode()] = bytes_of
    return found


def limit(name, header):
    """-> the number that a header gives this name."""
    match = re.search(r'^#define %s +(\d+)' % name, header, re.M)
    if not match:
        raise BenchError('%s is not in %s' % (name, PARAM))
    return int(match.group(1))


def per_page(small, large, row, sign):
    """How much a row grows with a page of RAM; sign -1: what it lacks of it."""
    pages = (LARGE - SMALL) * MIB // PAGE
    grown = large[row][1] - small[row][1]
    return (grown if sign > 0 else (LARGE - SMALL) * MIB - grown) / pages


def table(small, large, least, sizes, processes):
    """-> {row: [min, median, max]}: bytes, or counts where the row says so."""
    def exact(value):
        return [int(value) if value == int(value) else round(value, 2)] * 3

    rows = {'a process, struct proc': exact(sizes['procs'] / processes)}
    for name, numbers in large.items():
        if name.startswith(('a forked', 'a thread')) or re.match('60 forked.* all$', name):
            rows[name] = numbers
    rows['a resident page, page tables'] = exact(
        large['64 MiB of heap, page tables'][1] * PAGE / HEAP)
    rows['a page of RAM, struct page'] = exact(per_page(small, large, 'RAM handed out', -1))
    rows['a page of RAM, buffer cache'] = exact(
        per_page(small, large, 'RAM in use at the start, other', 1))
    rows['processes at most in %d MiB, count' % LEAST] = least['processes at most, count']
    rows['free then'] = least['free then']
    return rows


def words_on_most(rows, processes):
    """What it is that allows no more processes."""
    _, most, _ = rows['processes at most in %d MiB, count' % LEAST]
    return 'NPROC, which is %d' % processes if most == processes else 'RAM'


def print_table(rows, processes):
    print('%-44s %14s' % ('bytes', 'median'))
    for name, (least, median, most) in rows.items():
        text = '%s' % format(median, ',g' if median < 100 else ',.0f')
        spread = '' if least == most else '  (%s to %s)' % (least, most)
        print('%-44s %14s%s' % (name, text, spread))
    print('what ends processes at %d MiB: %s' % (LEAST, words_on_most(rows, processes)))


def complaints(rows, accepted):
    """What is missing, or needs more than it did; of `count` and `free`, gives less."""
    for name, (_, median, _) in accepted.items():
        if name not in rows:
            yield '%s: there is no such row any more' % name
            continue
        now = rows[name][1]
        if name.startswith('free'):
            continue  # it changes with every byte of the kernel's text
        if now < median if name.endswith('count') else now > median:
            yield '%s: %s, %s were accepted' % (name, now, median)


def arguments():
    parser = argparse.ArgumentParser(description="measures the kernel's own memory")
    parser.add_argument('--check', action='store_true')
    parser.add_argument('--accept', action='store_true')
    parser.add_argument('--json', metavar='FILE')
    parser.add_argument('--qemu', default='qemu-system-riscv64')
    return parser.parse_args()


def measure(qemu):
    """-> the table, and how many processes there may be."""
    with open(PARAM) as file:
        processes = limit('NPROC', file.read())
    with open(KERNEL, 'rb') as file:
        sizes = symbol_sizes(file.read())
    small, large, least = (boot('memory', '%dM' % mib, qemu) for mib in (SMALL, LARGE, LEAST))
    return table(small, large, least, sizes, processes), processes


def main():
    guests.terminate_politely()
    args = arguments()
    os.chdir(TOP)
    wrong = []
    try:
        rows, processes = measure(args.qemu)
        print_table(rows, processes)
        if args.json:
            save(args.json, rows)
        if args.accept:
            save(ACCEPTED, rows)
        if args.check:
            wrong = list(complaints(rows, load(ACCEPTED)))
    except BenchError as error:
        sys.exit('bench-memory: %s' % error)
    for line in wrong:
        print('worse: ' + line)
    sys.exit(1 if wrong else 0)


if __name__ == '__main__':
    main()
