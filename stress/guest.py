"""A guest: one QEMU with the kernel in it, talked to through its console.

Owns the QEMU command line of everything that tests (the Makefile has that of
`make qemu`), the private copy of the disk, the time limits, and the words in
which a guest's end is told.  It never ends a process that it has not started.

    with Guest('build/kernel', 'build/fs.img', cpus=4) as guest:
        guest.boot()
        output, status = guest.command('cowtest')
        guest.poweroff()
"""

import array
import fcntl
import os
import re
import select
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import termios
import time

HOST_CORES = len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') \
    else os.cpu_count() or 1

# Seconds on an idle machine as fast as the one that REFERENCE was taken on.
BOOT_LIMIT = 30
QUIET_LIMIT = 180
REFERENCE = 0.021

F_SETPIPE_SZ = 1031  # fcntl has the name from Python 3.10 on
LINE_MAX = 511   # the console's line, without its newline
parallel = 1     # how many guests their runner boots at the same time
_alive = set()   # guests not yet closed
PANIC = re.compile(r'^panic\b.*', re.M)


class GuestError(Exception):
    """The guest panicked, hung, or was gone too early; says which."""


def terminate_politely():
    """Lets SIGTERM unwind the stack, so that no QEMU outlives its runner."""
    def leave(number, _frame):
        sys.exit(128 + number)
    signal.signal(signal.SIGTERM, leave)


def end_all():
    """Ends every guest; those who wait for one in another thread are told so."""
    for machine in list(_alive):
        machine.signal_end()


def _loop_seconds():
    start, x = time.perf_counter(), 0
    for i in range(300000):
        x = (x * 31 + i) & 0xffff
    return time.perf_counter() - start


def machine_scale(_known=[]):  # the list lives as long as the program: measured once
    """How much slower than the reference this machine is now, load included; at least 1."""
    if not _known:
        _known.append(max(1.0, sorted(_loop_seconds() for _ in range(5))[2] / REFERENCE))
    return _known[0]


def time_scale(cpus):
    """The factor for a time limit of a guest with so many harts on this machine."""
    return machine_scale() * max(1.0, min(cpus, 16) * parallel / HOST_CORES)


def qemu_command(kernel, image, cpus=4, mem='128M', append='', extra='',
                 qemu='qemu-system-riscv64', drive=''):
    """`image` None: no disk, for root=ram.  `drive`: more of the option -drive."""
    command = [qemu, '-machine', 'virt', '-bios', 'none', '-kernel', kernel, '-m', str(mem),
               '-smp', str(cpus), '-nographic']
    if image is not None:
        command += ['-global', 'virtio-mmio.force-legacy=false',
                    '-drive', 'file=%s,if=none,format=raw,id=x0%s' % (image.replace(',', ',,'), drive),
                    '-device', 'virtio-blk-device,drive=x0,bus=virtio-mmio-bus.0']
    if append:
        command += ['-append', append]
    return command + shlex.split(extra)


class Guest:
    """One boot.  `image` is copied, unless in_place; the copy ends with the guest."""

    def __init__(self, kernel, image, cpus=4, mem='128M', append='', extra='',
                 qemu='qemu-system-riscv64', in_place=False, show=None, drive=''):
        self.scale = time_scale(cpus)
        self.show = show          # called with each piece of output, or None
        self.log = ''             # all output so far
        self.seen = 0             # how much of it has been consumed
        self.ended = None         # QEMU's exit status, once known
        self.image = image        # what is booted
        self._folder = None
        try:
            if not in_place:
                self._folder = tempfile.mkdtemp(prefix='guest-')
                self.image = shutil.copyfile(image, os.path.join(self._folder, 'fs.img'))
            # A session of its own: Ctrl-C is for the runner, which then ends it.
            self._qemu = subprocess.Popen(
                qemu_command(kernel, self.image, cpus, mem, append, extra, qemu, drive),
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                bufsize=0, start_new_session=True)
            _alive.add(self)
        except OSError as error:
            self._remove_folder()
            raise GuestError('no guest: %s' % error) from error

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # ---- the console -----------------------------------------------------

    def narrow(self, ahead):
        """From now on QEMU can be only so many bytes ahead of what is read (Linux)."""
        try:
            fcntl.fcntl(self._qemu.stdout.fileno(), F_SETPIPE_SZ, ahead)
        except OSError as error:
            raise GuestError('no pipe of %d bytes: %s' % (ahead, error)) from error

    def fill(self, ahead, limit):
        """Waits, without reading, until QEMU is so many bytes ahead."""
        end = time.monotonic() + limit * self.scale
        there = array.array('i', [0])
        while there[0] < ahead:
            if time.monotonic() > end:
                raise GuestError('%d bytes of output did not come within %d s' % (ahead, limit))
            time.sleep(0.1)
            fcntl.ioctl(self._qemu.stdout.fileno(), termios.FIONREAD, there)

    def take(self, most):
        """Takes in the output that is there, at most so many bytes of it."""
        self._read(0, most)

    def _read(self, seconds, most=65536):
        """Takes in output for at most so long -> whether there was some."""
        if self.ended is not None:
            return False
        ready, _, _ = select.select([self._qemu.stdout], [], [], max(0, seconds))
        if not ready:
            return False
        data = os.read(self._qemu.stdout.fileno(), most)
        if not data:
            self.ended = self._qemu.wait()
            return False
        text = data.replace(b'\r', b'').decode('utf-8', 'replace')
        self.log += text
        if self.show:
            self.show(text)
        return True

    def type(self, text):
        """Types text, as a person would: nothing is added."""
        try:
            self._qemu.stdin.write(text.encode())
        except OSError:
            pass  # QEMU has gone: the next read says how

    def _fresh(self):
        return self.log[self.seen:]

    def _gone(self):
        """-> why the guest is no more, in words."""
        panic = PANIC.search(self.log)
        if panic:
            return 'the kernel panicked: ' + panic.group()
        if self.ended is None:
            return 'the guest stopped'
        if self.ended < 0:
            return 'QEMU was killed by signal %d' % -self.ended
        last = self.log.strip().rsplit('\n', 1)[-1]
        return 'QEMU ended with status %d; its last line: %s' % (self.ended, last)

    def _wait(self, found, what, limit, quiet):
        """Reads until found(fresh output, seconds without any) is true -> its value."""
        start = last = time.monotonic()
        while True:
            now = time.monotonic()
            value = found(self._fresh(), now - last)
            if value:
                return value
            if self.ended is not None:
                raise GuestError(self._gone())
            if now - last > 10 and PANIC.search(self._fresh()):
                raise GuestError(self._gone())
            if quiet and now - last > quiet:
                self._diagnose()
                raise GuestError('%s did not come: no output for %d s' % (what, quiet))
            if limit and now - start > limit:
                self._diagnose()
                raise GuestError('%s did not come within %d s' % (what, limit))
            if self._read(0.25):
                last = time.monotonic()

    def _diagnose(self):
        """Asks a guest that hangs for its list of processes: it goes to the log."""
        self.type('\x10')
        end = time.monotonic() + 2
        while time.monotonic() < end and self.ended is None:
            self._read(0.25)

    def expect(self, pattern, limit=0, quiet=QUIET_LIMIT):
        """Waits for a regular expression in the output, takes what is before and of it.

        Limits are seconds, scaled by the guest, 0 for none.  -> the match.
        """
        compiled = re.compile(pattern, re.M)
        match = self._wait(lambda text, _: compiled.search(text), repr(pattern),
                           limit * self.scale, quiet * self.scale)
        self.seen += match.end()
        return match

    def prompt(self, limit=0, quiet=QUIET_LIMIT):
        """Waits for the shell's prompt -> the output before it."""
        def found(text, silence):
            # A prompt is the last thing said, on a line of its own.  A program
            # may leave its line open, and one in the background may go on.
            if text.endswith('$ ') and (text == '$ ' or text[-3] == '\n' or silence > 0.7):
                return [len(text) - 2]
            late = re.search(r'^\$ ', text, re.M)
            return [late.start()] if late and silence > 0.7 else None
        start, = self._wait(found, 'the prompt', limit * self.scale, quiet * self.scale)
        before = self._fresh()[:start]
        self.seen += start + 2
        return before

    # ---- what one does with a guest --------------------------------------

    def listen(self, seconds):
        """Takes in output for so long, whatever it is."""
        end = time.monotonic() + seconds
        while self.ended is None and time.monotonic() < end:
            self._read(end - time.monotonic())
        if self.ended is not None:
            raise GuestError(self._gone())

    def boot(self, limit=BOOT_LIMIT):
        """Waits for the first prompt -> the boot's messages."""
        return self.prompt(limit=limit)

    def run(self, line, limit=0, quiet=QUIET_LIMIT):
        """Types a command and waits for the next prompt -> what it printed."""
        if len(line) > LINE_MAX or '\n' in line:
            raise GuestError('not one line of at most %d characters: %s' % (LINE_MAX, line))
        # Programs that run for a given time say nothing in it.
        given = re.search(r'-t *(\d+)', line)
        quiet = quiet and quiet + (int(given.group(1)) if given else 0)
        self.type(line + '\n')
        return self.prompt(limit, quiet).partition('\n')[2]

    def status(self):
        """-> the status of the last command, None from a shell that cannot tell."""
        show, self.show = self.show, None
        try:
            lines = re.findall(r'^-?\d+$', self.run('echo $?'), re.M)
        finally:
            self.show = show
        return int(lines[-1]) if lines else None

    def command(self, line, limit=0, quiet=QUIET_LIMIT):
        """-> (what it printed, its status)."""
        output = self.run(line, limit, quiet)
        return output, self.status()

    def poweroff(self, status=0, limit=BOOT_LIMIT):
        """Powers the machine off -> QEMU's exit status."""
        self.type('poweroff %d\n' % status)
        self.wait_end(limit)
        if PANIC.search(self._fresh()):
            raise GuestError(self._gone())
        return self.ended

    def wait_end(self, limit, pause=0):
        """Takes in output until QEMU ends, at first none for `pause` seconds -> its status."""
        time.sleep(pause)
        self._wait(lambda *_: self.ended is not None, 'the end', limit * self.scale, 0)
        return self.ended

    @property
    def pid(self):
        """QEMU's, for those who look at what it uses of the host."""
        return self._qemu.pid

    def signal_end(self):
        """Makes QEMU end; from any thread.  The guest's own thread sees it end."""
        if self._qemu.poll() is None:
            self._qemu.kill()

    def kill(self):
        """Ends QEMU at once, as a power cut does."""
        self.signal_end()
        self.ended = self._qemu.wait()

    def close(self):
        _alive.discard(self)
        self.kill()
        self._qemu.stdin.close()
        self._qemu.stdout.close()
        self._remove_folder()

    def _remove_folder(self):
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None


def add_arguments(parser):
    """The options that every runner has: which guest to boot."""
    parser.add_argument('--kernel', default='build/kernel')
    parser.add_argument('--image', default='build/fs.img', help='a copy of it is booted')
    parser.add_argument('--qemu', default='qemu-system-riscv64')
    parser.add_argument('--cpus', type=int, default=4)
    parser.add_argument('--mem', default='128M')
    parser.add_argument('--append', default='', help='options for the kernel')
    parser.add_argument('--extra', default='', help='further arguments for QEMU')


def from_arguments(args, image=None, **more):
    return Guest(args.kernel, image or args.image, cpus=args.cpus, mem=args.mem, append=args.append,
                 extra=args.extra, qemu=args.qemu, **more)
