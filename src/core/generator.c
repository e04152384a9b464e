/* Asymmetric generators: a coroutine whose yields go to whoever called next. */
#include "core.h"

#include <stdlib.h>

/* A generator whose yields were refused this many times after close is not going to end. */
#define REFUSALS_MAX 10000

enum { FRESH, SUSPENDED, RUNNING, ENDED };

struct fibril_generator {
  fibril_loop *loop;
  fibril_coroutine *coroutine; /* NULL once ended */
  fibril_generator_fn fn;
  void *arg;
  int state;
  bool closing;
  unsigned refusals;
  fibril__context *back; /* who called next */
  fibril_value out;      /* owned */
  fibril_value sent;     /* owned */
};

static fibril_value body(void *arg) {
  fibril_generator *generator = arg;
  return generator->fn(generator, generator->arg);
}

fibril_generator *fibril_generator_new(fibril_loop *loop, fibril_generator_fn fn, void *arg,
                                       const fibril_spawn_options *options) {
  fibril_generator *generator = calloc(1, sizeof *generator);
  if (generator == NULL) return NULL;
  if (fibril__coroutine_new(loop, body, generator, options, &generator->coroutine) != 0) {
    free(generator);
    return NULL;
  }
  generator->coroutine->generator = generator;
  generator->coroutine->generating = true;
  generator->loop = loop;
  generator->fn = fn;
  generator->arg = arg;
  return generator;
}

fibril__context *fibril__generator_ended(fibril_coroutine *coroutine) {
  fibril_generator *generator = coroutine->generator;
  generator->out = fibril__value_take(coroutine->result);
  generator->state = ENDED;
  return generator->back;
}

/* Runs the generator from a coroutine, on which a wait inside it suspends the whole chain. */
static void switch_from_coroutine(fibril_generator *generator, fibril_coroutine *caller) {
  fibril_coroutine *coroutine = generator->coroutine;
  coroutine->root = caller->root;
  coroutine->state = FIBRIL__ACTIVE;
  generator->back = &caller->context;
  generator->loop->current = coroutine;
  fibril__switch(&caller->context, &coroutine->context);
  generator->loop->current = caller;
}

/* Runs it from the loop's stack: nothing can wait, but the generator can hop here. */
static void switch_from_loop(fibril_generator *generator) {
  fibril__frame frame;
  generator->coroutine->root = generator->coroutine;
  generator->back = &frame.context;
  fibril__enter_in(generator->loop, &frame, generator->coroutine);
}

static int resume(fibril_generator *generator, fibril_value sent, fibril_value *out) {
  if (out != NULL) *out = fibril_undefined();
  if (generator->state == RUNNING) {
    fibril_value_free(sent);
    return FIBRIL_ERUNNING;
  }
  fibril_value_free(generator->sent);
  generator->sent = sent;
  fibril_value_free(generator->out);
  generator->out = fibril_undefined();
  if (generator->state == ENDED) return FIBRIL_DONE;

  fibril_coroutine *caller = fibril__self();
  generator->state = RUNNING;
  if (caller != NULL)
    switch_from_coroutine(generator, caller);
  else
    switch_from_loop(generator);
  if (out != NULL) *out = fibril__value_borrow(generator->out);
  if (generator->state != ENDED) return FIBRIL_YIELDED;
  fibril__coroutine_release(generator->coroutine);
  generator->coroutine = NULL;
  return FIBRIL_DONE;
}

int fibril_generator_next(fibril_generator *generator, fibril_value *out) {
  return resume(generator, fibril_undefined(), out);
}

int fibril_generator_send(fibril_generator *generator, fibril_value value, fibril_value *out) {
  value = fibril__value_take(value);
  if (generator->state == FRESH && fibril_value_kind(value) != FIBRIL_UNDEFINED) {
    fibril_value_free(value);
    if (out != NULL) *out = fibril_undefined();
    return FIBRIL_ENOTSTARTED;
  }
  return resume(generator, value, out);
}

int fibril_generator_close(fibril_generator *generator) {
  if (generator->state == RUNNING) return FIBRIL_ERUNNING;
  if (generator->state == ENDED) return 0;
  if (generator->state == FRESH) {
    fibril__coroutine_release(generator->coroutine);
    generator->coroutine = NULL;
    generator->state = ENDED;
    return 0;
  }
  generator->closing = true;
  generator->coroutine->cancelled = true;
  resume(generator, fibril_undefined(), NULL);
  return 0;
}

void fibril_generator_unref(fibril_generator *generator) {
  if (fibril_generator_close(generator) != 0)
    fibril__fatal("fibril_generator_unref was called on generator \"%s\" while it is running",
                  fibril__name(generator->coroutine));
  fibril_value_free(generator->out);
  fibril_value_free(generator->sent);
  free(generator);
}

fibril_value fibril_yield(fibril_generator *generator, fibril_value value) {
  fibril_coroutine *self = fibril__self();
  if (self == NULL || self->generator != generator) return fibril__error_code(FIBRIL_ENOTCOROUTINE);
  value = fibril__value_take(value);
  if (!generator->closing) {
    generator->out = value;
    generator->state = SUSPENDED;
    self->state = FIBRIL__WAITING;
    fibril__switch(&self->context, generator->back);
  } else {
    fibril_value_free(value);
    if (++generator->refusals >= REFUSALS_MAX)
      fibril__fatal(
          "generator \"%s\" goes on yielding although it is closed: fibril_yield gives it UV_ECANCELED, on "
          "which it has to clean up and return",
          fibril__name(self));
  }
  return generator->closing ? fibril__error_code(UV_ECANCELED)
                            : fibril__value_borrow(generator->sent);
}

static void close_each(fibril_coroutine *coroutine, void *arg) {
  (void)arg;
  if (coroutine->generator != NULL) fibril_generator_close(coroutine->generator);
}

void fibril__generators_close(fibril_loop *loop) {
  fibril__coroutines_each(loop, close_each, NULL);
}
