"""Faults that are planted for ordertest.py, each beside code that is right."""

import re
import unittest

import disasm
import ordertest


def listing(name, *insns):
    """-> what objdump prints for a function at 0x1000, an instruction every 4 bytes.

    A branch is written with the number of the instruction that it leads to: `bnez a2,@0`.
    """
    lines = ['x.o:     file format elf64-littleriscv', '', '0000000000001000 <%s>:' % name]
    for i, insn in enumerate(insns):
        insn = re.sub(r'@(\d+)', lambda m: '%x <%s+0x0>' % (0x1000 + 4 * int(m.group(1)), name),
                      insn)
        lines.append('    %x:\t%s' % (0x1000 + 4 * i, insn.replace(' ', '\t', 1)))
    return '\n'.join(lines)


def function(name, *insns):
    return disasm.parse(listing(name, *insns))[0]


class Reading(unittest.TestCase):
    def test_kinds(self):
        wanted = [('lr.w.aq a4,(s3)', 'lr'), ('sc.d.rl a2,a3,(s3)', 'sc'), ('ret', 'jump'),
                  ('amoswap.w.aq zero,a1,(a0)', 'amo'), ('ld a5,0(a2)', 'load'),
                  ('lbu a5,7(a2)', 'load'), ('sd a5,-8(sp)', 'store'), ('fsd fa0,0(a0)', 'store'),
                  ('beqz a5,@0', 'branch'), ('j @0', 'jump'), ('jal ra,@0', 'jump'),
                  ('fence', 'fence'), ('fence.tso', 'fence'), ('fence.i', 'other'),
                  ('sext.w a0,a5', 'other'), ('seqz a0,a0', 'other'), ('subw a0,a5,a1', 'other')]
        seen = function('f', *[text for text, _ in wanted]).insns
        self.assertEqual([insn.kind for insn in seen], [kind for _, kind in wanted])

    def test_fences(self):
        for text, before, after, wanted in (
                ('fence', 'rw', 'rw', True), ('fence iorw,ow', 'rw', 'w', True),
                ('fence iorw,ow', 'r', 'rw', False), ('fence r,rw', 'r', 'rw', True),
                ('fence r,rw', 'rw', 'rw', False), ('fence rw,w', 'rw', 'w', True),
                ('fence.tso', 'r', 'rw', True), ('fence.tso', 'rw', 'w', True),
                ('fence.tso', 'rw', 'rw', False), ('fence.i', 'r', 'w', False)):
            insn = function('f', text).insns[0]
            self.assertEqual(insn.orders(before, after), wanted, text)

    def test_labels_of_the_compiler_begin_no_function(self):
        text = listing('f', 'nop') + '\n0000000000001004 <.L0>:\n    1004:\tret\n'
        self.assertEqual([len(f.insns) for f in disasm.parse(text)], [2])


class Pairs(unittest.TestCase):
    def fault(self, *insns):
        pairs, _, faults = ordertest.check_pairs([function('f', *insns)])
        self.assertEqual(pairs, 1)
        return faults[0] if faults else ''

    def swap(self, lr, sc, before=('nop',), after=('nop',)):
        """A compare-and-swap whose lr and sc have these suffixes, between other code."""
        at = len(before)
        return self.fault('sd a7,0(a6)', *before, 'lr.w%s a5,(a0)' % lr, 'bne a5,a1,@%d' % (at + 5),
                          'sc.w%s a4,a2,(a0)' % sc, 'bnez a4,@%d' % (at + 1), *after,
                          'ld a5,0(a6)', 'ret')

    def test_right(self):
        for lr, sc in (('.aq', ''), ('.aq', '.aq'), ('.aq', '.rl'), ('.aqrl', '.aqrl'),
                       ('.aqrl', '.rl'), ('', '.rl'), ('', '.aqrl')):
            self.assertEqual(self.swap(lr, sc), '', (lr, sc))
        for fence in ('fence', 'fence iorw,ow', 'fence rw,w', 'fence.tso'):
            self.assertEqual(self.swap('', '', before=[fence]), '', fence)
        for fence in ('fence', 'fence r,rw', 'fence.tso'):
            self.assertEqual(self.swap('', '.aq', after=['seqz a0,a0', fence]), '', fence)

    def test_acquire_in_the_sc_alone(self):
        for after in ('nop', 'fence rw,w', 'fence.i'):
            self.assertIn('no acquire', self.swap('', '.aq', after=[after]))
        self.assertIn('no acquire', self.swap('', '.aq', before=['fence iorw,ow']))

    def test_fence_after_an_access_is_too_late(self):
        for first in ('ld a5,0(a7)', 'sd a5,0(a7)', 'jal ra,@0', 'beqz a5,@0'):
            self.assertIn('no acquire', self.swap('', '.aq', after=[first, 'fence']))

    def test_release_in_the_lr_alone(self):
        self.assertIn('no release', self.swap('.rl', ''))
        self.assertIn('no release', self.swap('.rl', '', before=['fence r,rw']))

    def test_no_order_at_all(self):
        self.assertIn('no order', self.swap('', ''))
        self.assertIn('no order', self.swap('', '', before=['fence rw,w', 'sd a7,8(a6)']))
        self.assertIn('no order', self.swap('', '', before=['fence r,r']))

    def test_fence_that_a_branch_goes_round(self):
        self.assertIn('no order', self.fault('beqz a7,@2', 'fence rw,w', 'lr.w a5,(a0)',
                                             'bne a5,a1,@6', 'sc.w a4,a2,(a0)', 'bnez a4,@2', 'ret'))
        self.assertEqual(self.fault('beqz a7,@1', 'fence rw,w', 'lr.w a5,(a0)',
                                    'bne a5,a1,@6', 'sc.w a4,a2,(a0)', 'bnez a4,@2', 'ret'), '')

    def test_lr_alone(self):
        self.assertIn('without an sc', self.fault('lr.w.aq a5,(a0)', 'sc.w a4,a2,(a1)', 'ret'))


class Operations(unittest.TestCase):
    OUTER = ['ld a5,0(a2)', 'sd a5,0(a2)'], ['ld a5,0(a3)', 'sd a5,0(a3)', 'ret']
    CAS = 'lr.w%s a5,(a0)', 'bne a5,a4,@7', 'sc.w%s a6,a1,(a0)', 'bnez a6,@3'

    def fault(self, name, *insns):
        text = function(name + '_int', *self.OUTER[0], *insns, *self.OUTER[1])
        count, faults = ordertest.check_operations([text], [name])
        self.assertEqual(count, 1)
        return faults[0] if faults else ''

    def cas(self, name, before, lr, sc, after):
        lr_line, out, sc_line, back = self.CAS
        return self.fault(name, before, lr_line % lr, out, sc_line % sc, back, after)

    def test_right(self):
        for name, *insns in (
                ('atomic_load', 'lw a0,0(a0)'), ('atomic_store', 'sw a1,0(a0)'),
                ('atomic_load_acquire', 'lw a0,0(a0)', 'fence r,rw'),
                ('atomic_store_release', 'fence rw,w', 'sw a1,0(a0)'),
                ('atomic_add', 'amoadd.w a0,a1,(a0)'),
                ('atomic_add_release', 'amoadd.w.rl a0,a1,(a0)'),
                ('atomic_swap_acquire', 'amoswap.w.aq a0,a1,(a0)'),
                ('atomic_or_full', 'fence iorw,ow', 'amoor.w.aq a0,a1,(a0)'),
                ('atomic_or_full', 'amoor.w.aqrl a0,a1,(a0)'),
                ('atomic_fence', 'fence'), ('atomic_fence_acquire', 'fence r,rw')):
            self.assertEqual(self.fault(name, *insns), '', name)
        self.assertEqual(self.cas('atomic_cas_acquire', 'nop', '.aq', '', 'nop'), '')
        self.assertEqual(self.cas('atomic_cas_release', 'nop', '', '.rl', 'nop'), '')
        self.assertEqual(self.cas('atomic_cas_release', 'fence rw,w', '', '', 'nop'), '')

    def test_order_lost(self):
        for name, *insns in (
                ('atomic_load_acquire', 'lw a0,0(a0)'),
                ('atomic_load_acquire', 'fence r,rw', 'lw a0,0(a0)'),
                ('atomic_store_release', 'sw a1,0(a0)'),
                ('atomic_store_release', 'fence r,w', 'sw a1,0(a0)'),
                ('atomic_store_release', 'sw a1,0(a0)', 'fence rw,w'),
                ('atomic_add_release', 'amoadd.w.aq a0,a1,(a0)'),
                ('atomic_add_acq_rel', 'amoadd.w.aq a0,a1,(a0)'),
                ('atomic_add_acq_rel', 'fence iorw,ow', 'amoadd.w a0,a1,(a0)'),
                ('atomic_swap_acquire', 'amoswap.w.rl a0,a1,(a0)'),
                ('atomic_or_full', 'amoor.w.aq a0,a1,(a0)'),
                ('atomic_fence', 'fence.tso'), ('atomic_fence', 'fence iorw,ow'),
                ('atomic_fence_acquire', 'fence rw,w')):
            self.assertNotEqual(self.fault(name, *insns), '', (name, insns))
        for lr, sc in ('', ''), ('', '.aq'), ('.rl', '.rl'):
            self.assertIn('no acquire', self.cas('atomic_cas_acquire', 'nop', lr, sc, 'nop'))
        for lr, sc in ('', ''), ('.rl', ''), ('.aq', '.aq'):
            self.assertIn('no release', self.cas('atomic_cas_release', 'nop', lr, sc, 'nop'))
        self.assertIn('full', self.cas('atomic_cas_full', 'fence iorw,ow', '.aq', '.aq', 'nop'))

    def test_more_than_one_access(self):
        self.assertIn('one access', self.fault('atomic_store', 'amoswap.w zero,a1,(a0)'))
        self.assertIn('one access', self.fault('atomic_load', 'lb a5,0(a0)', 'lb a4,1(a0)'))

    def test_unknown_order(self):
        self.assertIn('what order', self.fault('atomic_add_sometimes', 'amoadd.w a0,a1,(a0)'))

    def test_names(self):
        self.assertEqual(ordertest.operations('#define atomic_a_b(p)  x\n#define atomic_c(p)'),
                         ['atomic_a_b', 'atomic_c'])
        self.assertEqual([ordertest.split(name) for name in
                          ('atomic_add', 'atomic_add_acq_rel', 'atomic_fence')],
                         [('add', 'relaxed'), ('add', 'acq_rel'), ('fence', 'full')])


class Registers(unittest.TestCase):
    def faults(self, name, *insns):
        return len(ordertest.check_registers([function(name, *insns)], {'trap'})[1])

    def test_faults(self):
        for insn in ('lw a0,-16(gp)', 'sd gp,16(sp)', 'mv a0,gp', 'mv tp,a0', 'ld tp,0(a0)',
                     'fadd.d fa0,fa1,fa2', 'fld fa0,0(a0)', 'c.fldsp fa0,0(sp)', 'csrr a0,fcsr'):
            self.assertEqual(self.faults('f', insn), 1, insn)
        for insn in ('sd gp,16(sp)', 'ld tp,0(a0)'):
            self.assertEqual(self.faults('trap', insn), 0, insn)
        for insn in ('mv a5,tp', 'sd tp,8(sp)', 'ld a0,0(tp)', 'fence rw,w', 'fence.i', 'fence'):
            self.assertEqual(self.faults('f', insn), 0, insn)
        self.assertEqual(self.faults('trap', 'fsd fs0,0(sp)'), 1)


class Sequences(unittest.TestCase):
    def faults(self, *insns):
        others = [function('vmfault', 'sfence.vma'), function('blk_interrupt', 'fence o,iorw'),
                  function('machine_interrupts_on', 'fence o,iorw'), function('machine_trap', 'fence o,rw')]
        return len(ordertest.check_sequences(others + [function('hart_main', *insns)])[1])

    def test_order(self):
        right = ['fence o,iorw', 'nop', 'amoor.d.aq zero,a5,(a4)', 'sfence.vma', 'nop']
        self.assertEqual(self.faults(*right), 0)
        self.assertEqual(self.faults(*reversed(right)), 1)
        self.assertEqual(self.faults(*right[:3], 'sfence.vma a0'), 1)
        self.assertEqual(len(ordertest.check_sequences([])[1]), len(ordertest.SEQUENCES))


class Sources(unittest.TestCase):
    def test_by_hand(self):
        for text in ('__atomic_load_n(p, 0)', '__sync_synchronize();', '#include <stdatomic.h>',
                     'static _Atomic int x;', 'asm volatile("amoadd.w a0, a1, (a2)");',
                     'asm("1: lr.w %0, (%1)" : "=r"(x) : "r"(p));'):
            self.assertTrue(ordertest.BY_HAND.search(text), text)
        for text in ('atomic_load(p)', 'asm volatile("ecall");', '// [atomic] refs', 'sync(a)'):
            self.assertFalse(ordertest.BY_HAND.search(text), text)
