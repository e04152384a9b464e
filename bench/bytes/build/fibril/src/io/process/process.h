/* Child processes. How one is started and heard of is a way: with posix_spawn and a descriptor of
 * the process, or with libuv. Whoever waits, kills or closes does not see which. */
#ifndef FIBRIL_IO_PROCESS_PROCESS_H
#define FIBRIL_IO_PROCESS_PROCESS_H

#include "../handle.h"

#include "../../core/loop/descriptors.h"

/* What a child is started with. */
typedef struct fibril__launch {
  const fibril_process_options *options;
  const char *path; /* of the program */
  const char *const *args;
  unsigned count; /* of `fds`, 3 at least */
  int *fds;       /* that become the child's 0, 1 and so on: all above `count`; -1: /dev/null */
} fibril__launch;

typedef struct fibril__process_way {
  /* 0, or what the system says: then there is no child, and `close` is called all the same. */
  int (*spawn)(fibril_process *process, const fibril__launch *launch);
  int (*send)(fibril_process *process, int signal);
  /* Somebody waits from now on. NULL: nothing is to be done for that. */
  void (*expect)(fibril_process *process);
  /* Lets go of it. Who has not been reaped yet is, later. */
  void (*close)(fibril_process *process);
} fibril__process_way;

extern const fibril__process_way fibril__posix_way, fibril__libuv_way;

struct fibril_process {
  fibril__handle handle;
  const fibril__process_way *way;
  int pid;                 /* 0: it was not started */
  bool detached, group;    /* as its options say */
  bool ended;              /* as far as the loop has heard */
  int error;               /* nobody knows how it ended */
  int64_t status;          /* what it exited with */
  int signal;              /* that ended it; 0: none */
  fibril__watcher watcher; /* posix: of the process' descriptor, -1: there is none */
  uv_process_t uv;         /* libuv */
  bool opened;             /* `uv` */
  fibril_timeout sweep;    /* 0: none */
  bool missed;             /* the last one has found it ended */
  struct {
    struct fibril__process_waiter *first, *last;
  } waiters;
  unsigned stdio_count;
  fibril_stream *stdio[]; /* by number; NULL: it is no pipe */
};

/* It has ended: with that, or with an error. */
void fibril__process_ended(fibril_process *process, int error, int64_t status, int signal);

/* Ends all waits for it with that result. */
void fibril__process_end_waits(fibril_process *process, int result);
/* Of its handle: whether those waits keep the loop alive. */
void fibril__process_hold_waits(fibril__handle *handle, bool held);

/* Has a child of this process reaped that nobody waits for any more, whenever it ends. */
void fibril__process_orphan(int pid);

/* Whether posix_spawn and descriptors of processes work here, and do what is asked for. libuv's way
 * always can. */
bool fibril__posix_way_can(const fibril_process_options *options);

/* Where the program is: a path from malloc, or UV_ENOENT, UV_EACCES, UV_ENOMEM. */
int fibril__program_find(const fibril_process_options *options, char **out);

#endif /* FIBRIL_IO_PROCESS_PROCESS_H */
