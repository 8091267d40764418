"""Reads what objdump says of RISC-V code: functions and their instructions."""

import re
import subprocess


class Insn:
    """One instruction: address, name, operands, and what they say.

    base: register that addresses memory, or None; target: address of a branch or jump.
    """

    def __init__(self, address, name, operands):
        self.address, self.name, self.operands = address, name, operands
        found = re.search(r'\((\w+)\)$', operands)
        self.base = found.group(1) if found else None
        found = re.search(r'(?:^|,)([0-9a-f]+) <', operands)
        self.target = int(found.group(1), 16) if found else None

    def __str__(self):
        return ('%x: %s %s' % (self.address, self.name, self.operands)).rstrip()

    @property
    def kind(self):
        """-> lr, sc, amo, load, store, fence, branch (conditional), jump, or other."""
        name = re.sub(r'^c\.', '', self.name)
        if name[:3] in ('lr.', 'sc.', 'amo'):
            return name[:3].rstrip('.')
        if name == 'fence' or name == 'fence.tso':
            return 'fence'
        if re.match(r'b(eq|ne|lt|ge|le|gt)', name):
            return 'branch'
        if re.match(r'j|call|tail|ret$|[mus]ret$|ecall|ebreak|unimp', name):
            return 'jump'
        if self.base:
            return 'store' if re.match(r'f?s[bhwdq](sp)?$', name) else 'load'
        return 'other'

    @property
    def bits(self):
        """-> the order bits of an lr, sc or amo: a set of aq and rl."""
        last = self.name.rpartition('.')[2]
        return {'aq', 'rl'} if last == 'aqrl' else {last} & {'aq', 'rl'}

    def orders(self, before, after):
        """Whether it is a fence of at least these sets, of the letters r and w."""
        if self.kind != 'fence':
            return False
        if self.name == 'fence.tso':
            return before == 'r' or after == 'w'
        sets = self.operands.split(',') if self.operands else ['rw', 'rw']
        return set(before) <= set(sets[0]) and set(after) <= set(sets[1])


class Function:
    """A name, its Insns, and the object of an archive that it stands in."""

    def __init__(self, name, place):
        self.name, self.place, self.insns = name, place, []

    def skips(self, first, last):
        """Whether a branch leads behind `first`, up to `last`, from elsewhere.

        An sc that failed may go back to its lr: its branch follows it at once.
        """
        low, high = self.insns[first].address, self.insns[last].address
        outside = self.insns[:first] + self.insns[last + 1 + self._retries(last):]
        return any(insn.target is not None and low < insn.target <= high for insn in outside)

    def _retries(self, last):
        return self.insns[last].kind == 'sc' and self.insns[last + 1].kind == 'branch'


def parse(listing):
    """-> the Functions in the text that `objdump -d --no-show-raw-insn` prints."""
    place = ''
    found = []
    for line in listing.splitlines():
        head = re.match(r'(\S+):\s+file format', line)
        name = re.match(r'[0-9a-f]+ <(.+)>:$', line)
        insn = re.match(r' *([0-9a-f]+):\t(\S+)(?:\t([^#]*))?', line)
        if head:
            place = head.group(1)
        elif name and not name.group(1).startswith(('.L', '$')):  # labels of the compiler
            found.append(Function(name.group(1), place))
        elif insn and found:
            address, word, operands = insn.groups()
            found[-1].insns.append(Insn(int(address, 16), word, (operands or '').strip()))
    return found


def disassemble(objdump, path):
    done = subprocess.run([objdump, '-d', '--no-show-raw-insn', path], stdout=subprocess.PIPE,
                          universal_newlines=True, check=True)
    return parse(done.stdout)
