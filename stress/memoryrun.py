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
import re
import struct
import sys

sys.dont_write_bytecode = True  # all output belongs in build/
import measure  # noqa: E402
from measure import MeasureError, boot  # noqa: E402

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
        raise MeasureError('%s is not in %s' % (name, PARAM))
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


def work(args):
    with open(PARAM) as file:
        processes = limit('NPROC', file.read())
    with open(KERNEL, 'rb') as file:
        sizes = symbol_sizes(file.read())
    small, large, least = (boot('memory', '%dM' % mib, args.qemu)
                           for mib in (SMALL, LARGE, LEAST))
    rows = table(small, large, least, sizes, processes)
    print_table(rows, processes)
    return rows


def main():
    parser = argparse.ArgumentParser(description="measures the kernel's own memory")
    measure.main('bench-memory', parser, ACCEPTED, work, complaints)


if __name__ == '__main__':
    main()
