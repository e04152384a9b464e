/* A stack overflow ends the process with one sentence that says whose stack it was; every other
 * fault goes on to whoever handled such faults before. */
#ifndef FIBRIL_CORE_OVERFLOW_H_
#define FIBRIL_CORE_OVERFLOW_H_

#include "stack.h"

/* Gives the calling thread an alternate signal stack, unless it has one, and the process its
 * SIGSEGV handler. Counted per thread. Where there is no stack to be had overflows still end the
 * process, only wordlessly. */
FIBRIL__INTERNAL void fibril__overflow_attach(void);

/* The last one of a thread takes the alternate stack away again, if it is still in place. */
FIBRIL__INTERNAL void fibril__overflow_detach(void);

/* Makes a slab known to the handler. 0 or UV_ENOMEM. */
FIBRIL__INTERNAL int fibril__overflow_publish(fibril__slab *slab);

/* To be called before a slab is unmapped: no handler looks at it any more when this returns. */
FIBRIL__INTERNAL void fibril__overflow_withdraw(fibril__slab *slab);

/* Ends the process as the handler does, for an overflow that a canary shows. */
FIBRIL__INTERNAL _Noreturn void fibril__overflow_die(const fibril__stack *stack);

#endif
