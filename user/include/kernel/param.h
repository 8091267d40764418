// Limits that programs may rely on.  Larger than the classic ones where a
// larger one costs nothing; fork must still fail before a program's patience.
#pragma once

#define NPROC        512    // processes in the system
#define NCPU         64     // harts: the width of a hart set
#define NOFILE       16     // open files of one process
#define NFILE        512    // open files in the system
#define NINODE       256    // inodes in use at one time
#define NDEV         10     // device major numbers
#define ROOTDEV      1      // device number of the root disk
#define MAXARG       32     // argv entries of exec, the null included
#define MAXPATH      128    // bytes of a path, the NUL included
#define MAXOPBLOCKS  10     // blocks that one file-system operation may write
#define FSSIZE       3000   // blocks of the image that mkfs.py makes
#define FSINODES     512    // inodes on it
#define LOGSIZE      31     // blocks of its log, the header included
#define USERSTACK    1      // pages of a program's stack
#define GUARDPAGES   9      // below it: one more than a frame of 32 KiB steps over
