"""What QEMU's blklogwrites driver records: the writes and flushes of a disk, in order.

Owns the format, which is that of Linux's dm-log-writes: a sector with the superblock,
then for each request a sector that describes it and the data that it wrote.  Requests
stand in the order in which the host finished them: a write that was under way during a
flush stands behind it, unless it ended first.  Never judges what was written.
"""

import collections
import struct

SECTOR = 512
MAGIC = 0x6a736677736872
SUPER = struct.Struct('<QQQI')
ENTRY = struct.Struct('<QQQQ')
FLUSH = 1  # of the flags; the others (FUA, DISCARD, MARK) no driver here asks for

# `at`: where in the log it begins; `offset`: bytes into the disk; a flush has no data.
Entry = collections.namedtuple('Entry', 'at offset data')
# The writes between two flushes; `end`: where in the log the second flush stands.
Epoch = collections.namedtuple('Epoch', 'number writes end')


class Error(Exception):
    """The log is not one, or holds what it should not."""


def options(image, log):
    """-> the words for QEMU that make `image` the disk and record it in `log`, a file."""
    open(log, 'wb').close()
    node = ','.join(['driver=blklogwrites,node-name=x0', 'file.driver=file',
                     'file.filename=' + image, 'file.cache.no-flush=on', 'log.driver=file',
                     'log.filename=' + log, 'log.cache.no-flush=on'])
    return ('-global virtio-mmio.force-legacy=false -blockdev %s '
            '-device virtio-blk-device,drive=x0,bus=virtio-mmio-bus.0' % node)


def parse(log):
    """-> the Entries of a log (bytes), up to the first that is not whole."""
    if not log:
        return []
    magic, version, _, sector = SUPER.unpack_from(log)
    if (magic, version, sector) != (MAGIC, 1, SECTOR):
        raise Error('magic %#x, version %d, sectors of %d bytes' % (magic, version, sector))
    found, at = [], SECTOR
    while at + ENTRY.size <= len(log):
        start, count, flags, _ = ENTRY.unpack_from(log, at)
        end = at + SECTOR * (1 + count)
        if flags & ~FLUSH or (flags == FLUSH) != (count == 0):
            raise Error('at %d: %d sectors with flags %#x' % (at, count, flags))
        if end > len(log):
            break
        found.append(Entry(at, start * SECTOR, log[at + SECTOR:end]))
        at = end
    return found


def epochs(entries):
    """-> the Epochs that hold writes; what no flush follows is the last one's."""
    found, writes = [], []
    for entry in entries:
        if entry.data:
            writes.append((entry.offset, entry.data))
        elif writes:
            found.append(Epoch(len(found), writes, entry.at))
            writes = []
    if writes:
        found.append(Epoch(len(found), writes, float('inf')))
    return found


def apply(image, entries):
    """Writes all of it to the image (a bytearray)."""
    for entry in entries:
        image[entry.offset:entry.offset + len(entry.data)] = entry.data
