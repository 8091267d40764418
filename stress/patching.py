"""Applies unified diffs, strictly: a hunk must fit one place in its file, no more.

Line numbers are not looked at, so a patch survives changes elsewhere in the file,
and never lands where it was not meant to.
"""

import os
import re


class PatchError(Exception):
    """A patch does not fit; says which file and hunk."""


def _hunks(diff):
    """-> (path, old lines, new lines, the hunk's head) for each hunk."""
    path = head = None
    old, new = [], []
    for line in diff.splitlines() + ['@@']:
        if line.startswith(('--- ', '+++ ', '@@')):
            if old or new:
                yield path, old, new, head
            old, new, head = [], [], line
            if line.startswith('+++ '):
                path = re.sub(r'^b/', '', line[4:].split('\t')[0])
        elif head is None or not head.startswith('@@'):
            continue  # names of the diff, such as `diff --git`
        elif line[:1] in (' ', '-', '+', ''):
            if line[:1] != '+':
                old.append(line[1:])
            if line[:1] != '-':
                new.append(line[1:])
        elif not line.startswith('\\'):
            raise PatchError('%s: %r is no line of a patch' % (path, line))


def _places(lines, old):
    return [at for at in range(len(lines) - len(old) + 1) if lines[at:at + len(old)] == old]


def apply_patch(root, diff):
    """Changes the files below root, all of them or, with a PatchError, none."""
    changed = {}
    for path, old, new, head in _hunks(diff):
        if path not in changed:
            try:
                with open(os.path.join(root, path)) as file:
                    changed[path] = file.read().split('\n')
            except OSError as error:
                raise PatchError('the patch does not apply: %s' % error) from error
        places = _places(changed[path], old)
        if len(places) != 1:
            raise PatchError('the patch does not apply: %s: %s fits %d places'
                             % (path, head, len(places)))
        changed[path][places[0]:places[0] + len(old)] = new
    if not changed:
        raise PatchError('the patch changes nothing')
    for path, lines in changed.items():
        with open(os.path.join(root, path), 'w') as file:
            file.write('\n'.join(lines))
