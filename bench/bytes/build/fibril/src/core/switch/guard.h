/* What keeps a coroutine that runs off its stack from writing into its neighbour: one guard below
 * each stack, of the best kind that the system has. */
#ifndef FIBRIL_CORE_GUARD_H_
#define FIBRIL_CORE_GUARD_H_

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "macros.h"

/* The most guards one fibril__guard_set sets. */
#define FIBRIL__GUARD_BATCH 32

enum {
  FIBRIL__GUARD_INSTALL,  /* MADV_GUARD_INSTALL (Linux 6.13): faults, costs no mapping, survives
                             MADV_DONTNEED */
  FIBRIL__GUARD_MPROTECT, /* PROT_NONE: faults, costs two mappings, of which a process has 65530 by
                             default; counted in all copies of fibril together */
  FIBRIL__GUARD_CANARY    /* plain memory that must still be zero when it is looked at: detects,
                             doesn't prevent */
};

/* Bytes of the guard below each stack. A multiple of the page size that is an odd number of pages,
 * so that stacks whose sizes are powers of two don't all fall into the same few sets of the TLB;
 * more than 64 KiB, so that one frame rarely jumps it. */
FIBRIL__INTERNAL size_t fibril__guard_size(void);

/* Guards `count` (<= FIBRIL__GUARD_BATCH) regions of fibril__guard_size() bytes, the first at
 * `first`, the others each `stride` bytes further. kinds[i] says what became of each: the kind that
 * the process uses, or a lesser one where that fails. */
FIBRIL__INTERNAL void fibril__guard_set(char *first, size_t stride, unsigned count, uint8_t *kinds);

/* Gives back what a guard of this kind counts for, once its memory is unmapped. */
FIBRIL__INTERNAL void fibril__guard_forget(int kind);

/* The kind of guard that the process uses, found out at the first call. */
FIBRIL__INTERNAL int fibril__guard_kind(void);

/* What every switch to a coroutine has to look after: usually nothing. */
enum {
  FIBRIL__WATCH_CANARIES = 1,   /* a stack of the process is guarded by a canary only */
  FIBRIL__WATCH_EXCEPTIONS = 2, /* C++ with exceptions runs in coroutines, see exceptions.c */
  FIBRIL__WATCH_TRACE = 4       /* every switch is logged, see scheduler/trace.h */
};
FIBRIL__INTERNAL extern atomic_int fibril__watch;

/* Whether the canary just below `base` is untouched. */
FIBRIL__INTERNAL int fibril__guard_canary_intact(const char *base);

#endif
