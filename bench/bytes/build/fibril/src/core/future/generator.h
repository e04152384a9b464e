/* Generators: a coroutine whose yields go to whoever asks for the next value. Two ways to ask: a
 * call, generator.c, from another coroutine or, for one that does not wait, from the loop's stack;
 * and a drive, drive.h, from the loop's stack for one that may wait. */
#ifndef FIBRIL_CORE_FUTURE_GENERATOR_H
#define FIBRIL_CORE_FUTURE_GENERATOR_H

#include "../scheduler/coroutine.h"

enum {
  FIBRIL__GENERATOR_FRESH,
  FIBRIL__GENERATOR_SUSPENDED,
  FIBRIL__GENERATOR_RUNNING,
  FIBRIL__GENERATOR_ENDED
};

struct fibril_generator {
  fibril_loop *loop;
  fibril_coroutine *coroutine; /* NULL once ended */
  fibril_generator_fn fn;
  void *arg;
  int state;
  bool closing;
  bool special; /* it is closing, has C++ exceptions of its own, or is driven */
  unsigned refusals;
  fibril_value *to;  /* where the caller wants the value; may be NULL */
  fibril_value out;  /* owned */
  fibril_value sent; /* owned */
  /* Of one that is driven, whose state is always running: what fibril_yield does. */
  fibril_value (*yield)(fibril_generator *generator, fibril_value value);
};

/* A yield that gives the generator nothing but an error; it drops `owned`. One that goes on all the
 * same ends the process. */
fibril_value fibril__generator_refuse(fibril_generator *generator, const char *name,
                                      fibril_value owned, int code);
/* Every one that is called is closed. */
void fibril__generators_close(fibril_loop *loop);

#endif /* FIBRIL_CORE_FUTURE_GENERATOR_H */
