#!/usr/bin/env python3
"""ordertest.py: is the memory order that the source asks for in the instructions?

usage: ordertest.py [--kernel FILE] [--toolprefix PREFIX]

RVWMO allows reorderings that QEMU on another machine never shows, so no run finds an
order that is missing.  This reads instructions instead:

 - in kernels, user library and programs, each lr/sc pair acquires or releases, and none
   has its order in bits that give none (lr.rl, sc.aq: unprivileged specification, "A");
 - each operation of atomic.h, compiled by each compiler that is installed, has the
   order that its name says;
 - no other source uses the compiler's atomic functions;
 - fences that no atomic operation makes stand where they are needed;
 - only the trap code of kernel/arch uses gp or writes tp, and no instruction of the
   kernel uses a floating-point register.

Both kernels and all programs of the tree are read, or, with --kernel, that kernel alone,
and the sources of its tree.  Faults that are planted must be found as well.
"""

import argparse
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True  # all output belongs in build/
import disasm  # noqa: E402

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
HEADER = 'user/include/kernel/atomic.h'
SC_WITHIN = 16  # instructions from an lr to its sc

# ---- code that was built ---------------------------------------------------


def sc_of(insns, at):
    """-> the index of the sc that belongs to the lr at `at`, or None."""
    for i in range(at + 1, min(at + SC_WITHIN, len(insns))):
        if insns[i].kind == 'sc' and insns[i].base == insns[at].base:
            return i
    return None


def fence_before(function, lr):
    """Whether every way to the lr meets a fence that orders what precedes before a store."""
    for i in range(lr - 1, -1, -1):
        insn = function.insns[i]
        if insn.orders('rw', 'w'):
            sc = sc_of(function.insns, lr)
            return not function.skips(i, sc)
        if insn.kind in ('store', 'sc', 'amo', 'jump'):
            break
    return False


def fence_after(function, lr, sc):
    """Whether the sc is followed by a fence that orders the lr before what follows."""
    for insn in function.insns[sc + 1:]:
        if insn.orders('r', 'rw'):
            return True
        if insn.kind != 'other' and insn.target != function.insns[lr].address:
            return False
    return False


def pair_fault(function, at):
    """-> what is wrong with the order of the lr at index `at` and its sc, or ''."""
    insns = function.insns
    end = sc_of(insns, at)
    if end is None:
        return 'an lr without an sc'
    lr, sc = insns[at].bits, insns[end].bits
    acquires = 'aq' in lr or sc == {'aq', 'rl'} or fence_after(function, at, end)
    releases = 'rl' in sc or fence_before(function, at)
    if 'aq' in sc and not acquires:
        return 'no acquire: sc has aq, lr has not, and no fence follows'
    if 'rl' in lr and not releases:
        return 'no release: lr has rl, sc has not, and no fence precedes'
    return '' if acquires or releases else 'no order: neither acquire nor release'


def check_pairs(functions):
    """-> (number of lr/sc pairs, number of amo, faults)."""
    pairs = amos = 0
    faults = []
    for function in functions:
        for at, insn in enumerate(function.insns):
            amos += insn.kind == 'amo'
            if insn.kind == 'lr':
                pairs += 1
                fault = pair_fault(function, at)
                if fault:
                    faults.append('%s, %s: %s' % (function.name, insn, fault))
    return pairs, amos, faults


def register_fault(insn, in_trap_code):
    """-> what is wrong with the registers that a kernel instruction uses, or ''."""
    name = re.sub(r'^c\.', '', insn.name)
    if re.match(r'f(?!ence)', name) or re.search(r'\b(fcsr|frm|fflags)\b', insn.operands):
        return 'floating point'
    if in_trap_code:
        return ''
    if re.search(r'\bgp\b', insn.operands):
        return 'gp outside of the trap code'
    if insn.operands.startswith('tp') and insn.kind not in ('store', 'branch', 'jump'):
        return 'tp written outside of kernel/arch'
    return ''


def check_registers(functions, assembly):
    """assembly: names of labels in kernel/arch/*.S.  -> (number of instructions, faults)."""
    faults = []
    for function in functions:
        for insn in function.insns:
            fault = register_fault(insn, function.name in assembly)
            if fault:
                faults.append('%s, %s: %s' % (function.name, insn, fault))
    return sum(len(function.insns) for function in functions), faults


# Instructions that must follow one another in a function, with others in between.
SEQUENCES = {
    'machine_interrupts_on': [r'fence o,iorw$'],  # bells silenced, then taken
    'machine_trap': [r'fence o,rw$'],  # the same, then the reasons
    'hart_main': [r'amoor\S* ', r'sfence\.vma$'],  # joins, then fences
    'vmfault': [r'sfence\.vma$'],  # case 2 fences everything
    'blk_interrupt': [r'fence o,iorw'],  # acknowledged, then the ring
}


def check_sequences(functions):
    """-> (number of functions, faults)."""
    faults = []
    seen = {function.name: function for function in functions if function.name in SEQUENCES}
    for name in sorted(set(SEQUENCES) - set(seen)):
        faults.append('there is no function %s' % name)
    for name, function in seen.items():
        wanted = list(SEQUENCES[name])
        for insn in function.insns:
            if wanted and re.match(wanted[0], ('%s %s' % (insn.name, insn.operands)).rstrip()):
                del wanted[0]
        if wanted:
            faults.append('%s has no %s in its place' % (name, wanted[0]))
    return len(seen), faults


def labels_of(tree):
    found = set()
    for path in glob.glob(os.path.join(tree, 'kernel/arch/*.S')):
        with open(path) as file:
            found.update(re.findall(r'^(\w+):', file.read(), re.M))
    return found


# ---- the operations of atomic.h --------------------------------------------

# What an operation is called with; p, v and e are a pointer and two values.
CALLS = {'load': 'return %s(p);', 'store': '%s(p, v); return 0;', 'add': 'return %s(p, v);',
         'and': 'return %s(p, v);', 'or': 'return %s(p, v);', 'swap': 'return %s(p, v);',
         'cas': 'return %s(p, &e, v);', 'fence': '%s(); return 0;'}
NARROW = {'load', 'store'}
TYPES = ['int', 'long']
# before is in a2 and after in a3; what addresses other memory is the operation.
PROBE = '''static inline __attribute__((always_inline)) %(type)s do_%(name)s_%(type)s(
    %(type)s *p, %(type)s v, %(type)s e) { %(body)s }
%(type)s %(name)s_%(type)s(%(type)s *p, %(type)s v, volatile long *before,
    volatile long *after, %(type)s e) {
  *before += 1;
  %(type)s result = do_%(name)s_%(type)s(p, v, e);
  *after += 1;
  return result;
}
'''


def operations(header):
    """-> the names of the operations that the text of atomic.h defines."""
    return re.findall(r'^#define (atomic_\w+)\(', header, re.M)


def split(name):
    """-> what an operation does, and the order that its name says."""
    _, kind, order = (name + '_').split('_', 2)
    return kind, order.rstrip('_') or ('full' if kind == 'fence' else 'relaxed')


def probes(names):
    """-> C with a function for each operation and each type that it takes."""
    text = '#include "kernel/atomic.h"\n'
    for name in names:
        kind, _ = split(name)
        for word in (['char', 'short'] if kind in NARROW else []) + TYPES:
            text += PROBE % {'name': name, 'type': word, 'body': CALLS[kind] % name}
    return text


def order_fault(name, function):
    """-> what the instructions of an operation's function lack, or ''."""
    kind, order = split(name)
    insns = function.insns
    before = max(i for i, insn in enumerate(insns) if insn.base == 'a2')
    after = min(i for i, insn in enumerate(insns) if insn.base == 'a3')
    ours = [i for i, insn in enumerate(insns) if insn.base not in (None, 'a2', 'a3', 'sp', 's0')]
    if kind == 'fence':
        wanted = {'full': ('rw', 'rw'), 'acquire': ('r', 'rw')}[order]
        done = any(insn.orders(*wanted) for insn in insns[before + 1:after])
        return '' if done else 'no such fence'
    kinds = [insns[i].kind for i in ours]
    shape = {'load': [['load']], 'store': [['store']], 'cas': [['lr', 'sc']]}
    if kinds not in shape.get(kind, [['amo']]):
        return 'it is not one access: %s' % kinds
    if order != 'relaxed' and not before < ours[0] <= ours[-1] < after:
        return 'the compiler moves other accesses across it'
    acquires = 'aq' in insns[ours[0]].bits or any(
        insns[i].orders('r', 'rw') and not function.skips(i, after)
        for i in range(ours[-1] + 1, after))
    releases = 'rl' in insns[ours[-1]].bits or any(
        insns[i].orders('rw', 'w') and not function.skips(i, ours[-1])
        for i in range(before + 1, ours[0]))
    if order in ('acquire', 'acq_rel', 'full') and not acquires:
        return 'no acquire'
    if order in ('release', 'acq_rel', 'full') and not releases:
        return 'no release'
    if order == 'full' and kinds != ['amo']:
        return 'full, and more than one access'  # a store may pass what follows
    return '' if order in ('relaxed', 'acquire', 'release', 'acq_rel', 'full') else 'what order?'


def check_operations(functions, names):
    """-> (number of functions, faults)."""
    seen = 0
    faults = []
    for function in functions:
        name, _, word = function.name.rpartition('_')
        if name in names:
            seen += 1
            fault = order_fault(name, function)
            if fault:
                faults.append('%s of %s: %s: %s' % (name, word, fault, '; '.join(
                    '%s %s' % (insn.name, insn.operands) for insn in function.insns)))
    return seen, faults


PLAIN = '-std=gnu11 -march=rv64gc -mabi=lp64 -mcmodel=medany -O2 -ffreestanding'.split()


def compilers(tree):
    """-> the commands, with flags, of the compiler in use and of others installed."""
    with open(os.path.join(tree, 'build/obj/kernel/flags')) as file:
        own = [word for word in file.readline().split() if word[:2] not in ('-I', '-M', '-W')]
    found = [own]
    for command in (['riscv64-unknown-elf-gcc'], ['riscv64-linux-gnu-gcc'],
                    ['clang', '--target=riscv64']):
        if shutil.which(command[0]) and command[0] != own[0]:
            found.append(command + PLAIN)
    return found


def compile_text(command, text, out, include):
    """-> '' or what the compiler said."""
    source = out + '.c'
    with open(source, 'w') as file:
        file.write(text)
    done = subprocess.run(command + ['-I' + include, '-c', '-o', out, source],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          universal_newlines=True)
    return done.stdout if done.returncode else ''


# ---- sources ---------------------------------------------------------------

BY_HAND = re.compile(r'__atomic_|__sync_|\b_Atomic\b|stdatomic\.h'
                     r'|asm[^;]*"[^"]*\b(?:lr\.[wd]|sc\.[wd]|amo\w+\.[wd])')


def sources(tree):
    for part in ('kernel', 'user', 'stress'):
        for folder, _, names in os.walk(os.path.join(tree, part)):
            yield from (os.path.join(folder, name) for name in names if name[-2:] in ('.c', '.h'))


def check_sources(tree):
    """-> (number of files, faults)."""
    seen = 0
    faults = []
    for path in sources(tree):
        seen += 1
        name = os.path.relpath(path, tree)
        with open(path) as file:
            text = file.read()
        if name != HEADER and BY_HAND.search(text):
            faults.append('%s: %s, which is atomic.h\'s' % (name, BY_HAND.search(text).group()))
    return seen, faults


# ---- all of it -------------------------------------------------------------

class Report:
    """Prints each check in a line, and what it finds."""

    def __init__(self):
        self.first = ''

    def tell(self, what, count, faults):
        print('%-4s %s: %s, %d faults' % ('FAIL' if faults or not count else 'ok', what,
                                         count, len(faults)))
        for fault in faults:
            print('     %s' % fault)
        if not self.first and (faults or not count):
            self.first = '%s: %s' % (what, faults[0] if faults else 'nothing to look at')


def images(tree, kernel):
    if kernel:
        return [kernel]
    return ([os.path.join(tree, 'build', name) for name in
             ('kernel', 'debug/kernel', 'obj/user/lib.a')]
            + sorted(glob.glob(os.path.join(tree, 'build/user/*.elf'))))


def check_images(report, tree, objdump, kernel):
    total = 0
    for path in images(tree, kernel):
        functions = disasm.disassemble(objdump, path)
        name = os.path.relpath(path, os.path.join(tree, 'build'))
        pairs, amos, faults = check_pairs(functions)
        total += pairs
        if pairs or os.path.basename(path) == 'kernel':
            report.tell('%s, order' % name, '%d pairs of lr and sc, %d amo' % (pairs, amos),
                        faults)
        if os.path.basename(path) == 'kernel':
            count, faults = check_registers(functions, labels_of(tree))
            report.tell('%s, registers' % name, '%d instructions' % count, faults)
            report.tell('%s, fences of a place' % name, *check_sequences(functions))
    report.tell('all images', '%d pairs' % total if total else '', [])


def check_header(report, tree, objdump):
    with open(os.path.join(tree, HEADER)) as file:
        names = operations(file.read())
    with tempfile.TemporaryDirectory() as folder:
        for command in compilers(tree):
            out = os.path.join(folder, 'probe.o')
            include = os.path.join(tree, 'user/include')
            said = compile_text(command, '', out, include)
            if said and command[0] == 'clang':
                print('     clang has no RISC-V')
                continue
            said = said or compile_text(command, probes(names), out, include)
            count, faults = (0, [said]) if said else \
                check_operations(disasm.disassemble(objdump, out), names)
            if not said and count < len(names) * len(TYPES):
                faults.append('functions are missing')
            report.tell('%s, %d operations of atomic.h' % (command[0], len(names)),
                        '%d functions' % count, faults)


def main():
    parser = argparse.ArgumentParser(description='looks for memory order in instructions')
    parser.add_argument('--kernel', help='build/kernel or build/debug/kernel of a tree')
    parser.add_argument('--toolprefix', default='')
    parser.add_argument('--image', help=argparse.SUPPRESS)  # mutants.py gives these to all
    parser.add_argument('--qemu', help=argparse.SUPPRESS)
    args = parser.parse_args()
    tree = os.path.abspath(args.kernel).rpartition('/build/')[0] if args.kernel else TOP
    objdump = (args.toolprefix or compilers(tree)[0][0].rpartition('gcc')[0]) + 'objdump'
    import ordercases
    suite = unittest.defaultTestLoader.loadTestsFromModule(ordercases)
    planted = unittest.TextTestRunner(stream=sys.stdout, verbosity=0).run(suite)
    report = Report()
    check_images(report, tree, objdump, args.kernel)
    check_header(report, tree, objdump)
    report.tell('sources', *check_sources(tree))
    if report.first:
        print('FAILED: %s' % report.first)
    sys.exit(1 if report.first or not planted.wasSuccessful() else 0)


if __name__ == '__main__':
    main()
