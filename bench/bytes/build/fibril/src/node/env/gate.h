/* The gate: what is called before the module's init has ended waits for that, or is refused. While
 * there is an init to wait for the environment is `barred`, which is all that calls look at. */
#ifndef FIBRIL_NODE_ENV_GATE_H
#define FIBRIL_NODE_ENV_GATE_H

#include "env.h"

/* ---- For module.c ---- */

/* There is an init. It begins when the module has been loaded, or never. */
void fibril__gate_shut(fibril__env *self);
/* On the loop's stack: up to its first wait. */
void fibril__gate_begin(fibril__env *self, fibril_fn init, void *arg);
/* Nobody asks any more. */
void fibril__gate_end(fibril__env *self);

/* ---- For calls that find the environment barred ---- */

/* In a coroutine: waits for init, and for who was called earlier. What a call fails with, borrowed;
 * undefined: it goes on. */
fibril_value fibril__gate_wait(fibril__env *self);
/* For what may not wait: why `name` can't be called, owned; undefined: it can. */
fibril_value fibril__gate_refusal(fibril__env *self, const char *name);

#endif /* FIBRIL_NODE_ENV_GATE_H */
