// The foreground job: what ^C at the console ends.
//
// The shell is a process that init itself has forked and that reads lines from the
// console.  Its job is all that descends from it: the commands of the line it is at.  A
// command in the background is no descendant any more once the process that started it
// has ended, since init has adopted it.  A shell started by hand belongs to the job.
//
// ^C is asked for by the console's interrupt, which does nothing but set a flag and wake
// init, and carried out by init, in wait: it asks each process of the job to end and, in
// the same moment, learns of its children, from the shell downwards.
//
//   I16  A process that is asked to end adds no child: fork looks, under the family lock
//        under which ^C takes the children down.  So a fork during the walk escapes nothing.
//
// Until the shell reads its next line, new children of the shell end before their first
// instruction: ^C ends the rest of a list such as `a; b`, and a command that has been read
// but has not begun.  No process is made to wait.
//
// Locks: FAMILY of one process at a time; `interrupted` changes under CONSOLE.
#pragma once

#include "lib/types.h"

struct proc;

// The console, under its lock: ^C was typed, and the shell does not wait for a line.
// To be followed by job_interrupt_start once that lock is given back.
void job_interrupt_ask(void);
void job_interrupt_start(void);

// The calling process reads the first byte of a line from the console, whose lock is held.
// Returns whether it is a shell: then ^C from before is over.
bool job_line_begins(void);

// Whether a new child of `parent`, whose family lock is held, must not run: the parent is a
// shell, and ^C was typed since it read a line.
bool job_stillborn(const struct proc *parent);

// Whether init has a walk to make, and the walk.  For init's wait: the first with its
// family lock held, the second without any lock.
bool job_walk_due(void);
void job_walk(void);
