"""An image to be looked into and changed, field by field: mkfs.py's layout, with names.

    image = Image(mkfs.read_whole('build/fs.img'))
    image.set_inode(image.find(b'sh'), LINKS, 0)

Nothing here keeps the image consistent: that is for those who call.
"""

import os
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))),
                                'user'))
import mkfs  # noqa: E402
from mkfs import BLOCK, DIR, ROOT  # noqa: E402

KIND, MAJOR, MINOR, LINKS, SIZE, ADDR = range(6)  # fields of an inode
TABLE = ADDR + mkfs.DIRECT


class Image:
    def __init__(self, data):
        self.data = bytearray(data)

    def super(self):
        return dict(zip(mkfs.SUPER_FIELDS, mkfs.SUPER.unpack_from(self.data, BLOCK)))

    def set_super(self, **changes):
        values = self.super()
        values.update(changes)
        mkfs.SUPER.pack_into(self.data, BLOCK, *(values[f] for f in mkfs.SUPER_FIELDS))

    # ---- inodes ----------------------------------------------------------

    def inode_at(self, number):
        return self.super()['inodestart'] * BLOCK + number * mkfs.INODE.size

    def inode(self, number):
        return list(mkfs.INODE.unpack_from(self.data, self.inode_at(number)))

    def put_inode(self, number, fields):
        mkfs.INODE.pack_into(self.data, self.inode_at(number), *fields)

    def set_inode(self, number, index, value):
        fields = self.inode(number)
        fields[index] = value
        self.put_inode(number, fields)

    def free_inodes(self):
        return [n for n in range(ROOT + 1, self.super()['ninodes']) if self.inode(n)[KIND] == 0]

    # ---- blocks ----------------------------------------------------------

    def word(self, block, index, value=None):
        """Reads, or with a value writes, a number of 32 bits in a block."""
        at = block * BLOCK + 4 * index
        if value is not None:
            struct.pack_into('<I', self.data, at, value & 0xffffffff)
        return struct.unpack_from('<I', self.data, at)[0]

    def mark(self, block, used):
        at = self.super()['bmapstart'] * BLOCK + block // 8
        bit = 1 << block % 8
        self.data[at] = self.data[at] | bit if used else self.data[at] & ~bit

    def take_block(self):
        """Takes the last free block -> its number."""
        sb = self.super()
        for block in range(sb['size'] - 1, sb['size'] - sb['nblocks'] - 1, -1):
            if not self.data[sb['bmapstart'] * BLOCK + block // 8] >> block % 8 & 1:
                self.mark(block, True)
                return block
        raise ValueError('no block is free')

    # ---- directories -----------------------------------------------------

    def entries(self, folder):
        """-> [(where in the image, inode, name)] of the directory's direct blocks."""
        fields, found = self.inode(folder), []
        for off in range(0, min(fields[SIZE], mkfs.DIRECT * BLOCK), mkfs.ENTRY.size):
            at = fields[ADDR + off // BLOCK] * BLOCK + off % BLOCK
            number, name = mkfs.ENTRY.unpack_from(self.data, at)
            found.append((at, number, name.rstrip(b'\0')))
        return found

    def find(self, name, folder=ROOT):
        return next(number for _, number, there in self.entries(folder) if there == name)

    def enter(self, folder, name, number):
        """Enters a name behind the directory's last; no link is counted."""
        size = self.inode(folder)[SIZE]
        if size % BLOCK == 0:
            self.set_inode(folder, ADDR + size // BLOCK, self.take_block())
        at = self.inode(folder)[ADDR + size // BLOCK] * BLOCK + size % BLOCK
        mkfs.ENTRY.pack_into(self.data, at, number, name)
        self.set_inode(folder, SIZE, size + mkfs.ENTRY.size)

    def name_leads_to(self, folder, name, number):
        for at, _, there in self.entries(folder):
            if there == name:
                struct.pack_into('<H', self.data, at, number)

    def add(self, folder, name, kind, links=1):
        """A new inode without contents, under a name -> its number."""
        number = self.free_inodes()[0]
        self.put_inode(number, [kind, 0, 0, links, 0] + [0] * (mkfs.DIRECT + 1))
        if name:
            self.enter(folder, name, number)
        return number

    def mkdir(self, folder, name):
        number = self.add(folder, name, DIR)
        self.enter(number, b'.', number)
        self.enter(number, b'..', folder)
        self.set_inode(folder, LINKS, self.inode(folder)[LINKS] + 1)
        return number
