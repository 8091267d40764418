#!/usr/bin/env python3
"""machines.py: boots a table of machines and processors, and tells what each does.

usage: machines.py [--quick] [--markdown] [--kernel K] [--image I] [--qemu Q] [NAME ...]

For each: `boots` (the prompt came, a command ran, the machine powered off), with what the
kernel said about it, or the sentence that it printed before it ended QEMU with failure.
Anything else, above all silence, fails; so does another end than the one that is expected.
All processors of `-cpu help` are in the full table; --quick takes the rows that test.py
runs.  NAMEs choose rows whose names contain one of them.  Status 1: something failed.
"""

import argparse
import os
import re
import subprocess
import sys
import time

sys.dont_write_bytecode = True
TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
import guest as guests  # noqa: E402
from report import Result, tally  # noqa: E402

BOOTS = 'boots'
SILENCE = 'silence'
ANY = ''  # any sentence, or boots
NO_ZICSR = re.compile(r'rv(32|64)[ie]$')  # no trap vector: such a hart cannot be told anything
SILENCE_LIMIT, BOOT_LIMIT = 3, 10  # seconds
SENTENCE = re.compile(r'^.*cannot run the kernel: (.*)|^panic: (.*)', re.M)
REFUSED = re.compile(r'^qemu-system-\w+: (?!warning)(.*)', re.M)
TOLD = re.compile(r'^(?:\d+ harts: .*|.* of RAM are not used|boot option.*)', re.M)
NO_ISA = 'it lacks RV64IMAC'
NO_PAGING = 'it has no Sv39 paging'


def numa(nodes, size, cpus):
    """Arguments for a machine of so many nodes."""
    each = cpus // nodes
    words = []
    for i in range(nodes):
        words += ['-object memory-backend-ram,id=m%d,size=%dM' % (i, size // nodes),
                  '-numa node,memdev=m%d,cpus=%d-%d,nodeid=%d'
                  % (i, i * each, (i + 1) * each - 1, i)]
    return {'cpus': cpus, 'mem': '%dM' % size, 'extra': ' '.join(words)}


class Row:
    """A machine, and how it is to end: BOOTS, SILENCE, ANY, or a part of the sentence.

    told: patterns that what the kernel says must match; quick: test.py runs it.
    """

    def __init__(self, name, expected, told=(), quick=False, **shape):
        self.name, self.expected, self.told, self.quick = name, expected, told, quick
        self.shape = {'cpus': 2, **shape}

    def limit(self):
        """Seconds after which there is silence: a boot takes less than one, of 512 harts ten."""
        if self.expected == SILENCE:
            return SILENCE_LIMIT
        return guests.BOOT_LIMIT if self.shape['cpus'] > 8 else BOOT_LIMIT


def cpu(model, expected=BOOTS, quick=False, **more):
    return Row('-cpu ' + model, expected, quick=quick, extra='-cpu ' + model, **more)


def table(args):
    rows = [
        Row('default', BOOTS),
        cpu('rv64,pmp=off', quick=True), cpu('rv64,sstc=off', quick=True),
        cpu('rv64,pmp=off,sstc=off'), cpu('rv64,mmu=off', NO_PAGING, quick=True),
        cpu('rv64,c=off', NO_ISA, quick=True), cpu('rv64,s=off,h=off', NO_ISA),
        Row('aclint=on', BOOTS, quick=True, extra='-machine aclint=on'),
        Row('aclint=on, no Sstc', BOOTS, extra='-machine aclint=on -cpu rv64,sstc=off'),
        Row('aia=aplic', 'no PLIC', quick=True, extra='-machine aia=aplic'),
        Row('aia=aplic-imsic', 'no CLINT or ACLINT|no PLIC', extra='-machine aia=aplic-imsic'),
        Row('aia=aplic-imsic,aclint=on', 'no CLINT or ACLINT',
            extra='-machine aclint=on,aia=aplic-imsic'),
        Row('2 NUMA nodes', BOOTS, quick=True, **numa(2, 256, 4)),
        Row('4 NUMA nodes', BOOTS + '|QEMU refuses', **numa(4, 256, 8)),  # 7.2 cannot
        Row('legacy virtio', BOOTS, extra='-global virtio-mmio.force-legacy=true'),
        Row('root=ram', BOOTS, append='root=ram', extra='-initrd ' + args.image),
        Row('unknown options', BOOTS, quick=True, append='foo=1 seed=abc watchdog=-3 root=x bar',
            told=['foo=1 is not known', 'seed=abc is no decimal', 'watchdog=-3 is no decimal',
                  'root=x has an unknown', 'bar is not known']),
    ]
    rows += [Row('CPUS=%d' % n, BOOTS, cpus=n) for n in (1, 4, 8, 32, 64)]
    rows += [Row('CPUS=%d' % n, BOOTS, cpus=n, quick=n == 65,
                 told=['64 are used, %d parked' % (n - 64)]) for n in (65, 128, 512)]
    rows += [Row('MEM=' + mem, BOOTS, mem=mem, quick=mem == '3M')
             for mem in ('3M', '4M', '5M', '8M', '16M', '64M', '512M', '1G', '2G', '3G', '4G',
                         '16G')]
    rows += [Row('MEM=2M', ANY, mem='2M'), Row('MEM=3M, CPUS=64', ANY, mem='3M', cpus=64)]
    named = {row.name for row in rows}
    listing = subprocess.run([args.qemu, '-cpu', 'help'], stdout=subprocess.PIPE,
                             universal_newlines=True).stdout
    models = [line.strip() for line in listing.splitlines() if re.match(r'\s*[\w-]+$', line)]
    rows += [cpu(model, SILENCE if NO_ZICSR.match(model) else ANY) for model in models]
    rows += [cpu(model + more, ANY) for model in models
             if re.search('64|max$', model) and not NO_ZICSR.match(model)
             for more in (',pmp=off', ',sstc=off', ',svadu=on', ',svadu=off')
             if '-cpu ' + model + more not in named]
    return rows


def end_of(args, row):
    """Boots it -> (how it ended or None for silence, what the kernel said, log)."""
    machine = None
    try:
        with guests.Guest(args.kernel, args.image, qemu=args.qemu, **row.shape) as machine:
            machine.boot(row.limit())
            output, status = machine.command('echo ok')
            left = machine.poweroff()
        end = BOOTS if (output, status, left) == ('ok\n', 0, 0) else None
    except guests.GuestError:
        log = machine.log if machine else ''
        said, refused = SENTENCE.search(log), REFUSED.search(log)
        failed = machine is not None and machine.ended not in (None, 0)
        end = None
        if failed and said:
            end = said.group(1) or said.group(2)
        elif failed and refused:
            end = 'QEMU refuses: ' + refused.group(1)
    log = machine.log if machine else ''
    return end, TOLD.findall(log), log


def judge(args, row):
    start = time.monotonic()
    end, told, log = end_of(args, row)
    missing = [word for word in row.told if not any(re.search(word, line) for line in told)]
    failure = ''
    if end is None and row.expected != SILENCE:
        failure = 'no prompt and no sentence: %r' % log[-200:]
    elif not re.search(row.expected, end or SILENCE):
        failure = 'expected: %s' % row.expected
    elif missing:
        failure = 'not told: ' + ', '.join(missing)
    text = '; '.join([end or SILENCE] + told)
    return Result(row.name, time.monotonic() - start, failure, text)


def main():
    guests.terminate_politely()
    parser = argparse.ArgumentParser(description='boots machines of all kinds')
    parser.add_argument('--quick', action='store_true')
    parser.add_argument('--markdown', action='store_true', help='prints the table for a page')
    parser.add_argument('--kernel', default='build/kernel')
    parser.add_argument('--image', default='build/fs.img')
    parser.add_argument('--qemu', default='qemu-system-riscv64')
    parser.add_argument('names', nargs='*', metavar='NAME')
    args = parser.parse_args()
    os.chdir(TOP)
    results = []
    for row in table(args):
        if args.quick and not row.quick:
            continue
        if args.names and not any(name in row.name for name in args.names):
            continue
        result = judge(args, row)
        results.append(result)
        print('%-4s %s (%.1fs): %s' % ('FAIL' if result.failure else 'ok', row.name,
                                       result.seconds, result.log))
        if result.failure:
            print('     ' + result.failure)
        sys.stdout.flush()
    if args.markdown:
        print('| machine | |\n|---|---|')
        for result in results:
            print('| %s | %s |' % (result.name, result.log))
    print(tally(results))
    sys.exit(1 if not results or any(result.failure for result in results) else 0)


if __name__ == '__main__':
    main()
