#include "generator.h"

#include "../scheduler/call.h"
#include "../scheduler/crowd.h"
#include "../scheduler/run.h"
#include "../scheduler/scope.h"
#include "../switch/exceptions.h"
#include "../value/error.h"
#include "clients.h"

#include <stdlib.h>

static const fibril_value undefined = {FIBRIL_UNDEFINED, {.integer = 0}};

static inline fibril_value take(fibril_value value) {
  return value.tag & FIBRIL__BOXED ? fibril_value_take(value) : value;
}

static inline void drop(fibril_value value) {
  if (value.tag & FIBRIL__OWNED) fibril_value_free(value);
}

/* For the caller, wherever that is. */
static inline void deliver_value(const fibril_generator *generator) {
  if (generator->to != NULL) *generator->to = fibril__value_borrow(generator->out);
}

/* ---- Life ---- */

static bool end_generator(fibril_coroutine *coroutine, fibril_value result) {
  fibril_generator *generator = coroutine->ended_arg;
  generator->out = result;
  fibril__clients_of(generator->loop)->generators--;
  generator->state = FIBRIL__GENERATOR_ENDED;
  generator->coroutine = NULL;
  deliver_value(generator);
  fibril__call_return(coroutine, FIBRIL_DONE);
  fibril__coroutine_release(coroutine);
  return true;
}

static fibril_value run_generator(void *arg) {
  fibril_generator *generator = arg;
  return generator->fn(generator, generator->arg);
}

fibril_generator *fibril_generator_new(fibril_loop *loop, fibril_generator_fn fn, void *arg,
                                       const fibril_spawn_options *options) {
  fibril_generator *generator = calloc(1, sizeof *generator);
  if (generator == NULL) return NULL;
  if (fibril__coroutine_new(loop, run_generator, generator, options, &generator->coroutine) != 0) {
    free(generator);
    return NULL;
  }
  fibril__coroutine_on_end_with(generator->coroutine, end_generator, generator);
  fibril__coroutine_generates(generator->coroutine, FIBRIL__CALLED);
  generator->loop = loop;
  fibril__clients_of(loop)->generators++;
  generator->fn = fn;
  generator->arg = arg;
  generator->special = fibril__exceptions_watched();
  return generator;
}

/* ---- Both directions ----
 *
 * Where both sides are coroutines, next and yield end in the switch itself, fibril__switch_result:
 * what they return has been put into the control block of who gets it. */

/* Runs it from the loop's stack: nothing can wait, but the generator can hop here. */
__attribute__((noinline)) static int run_from_loop(fibril_generator *generator) {
  fibril__frame frame;
  fibril__call_unlink(generator->coroutine);
  fibril__enter_in(generator->loop, &frame, generator->coroutine);
  return generator->state == FIBRIL__GENERATOR_ENDED ? FIBRIL_DONE : FIBRIL_YIELDED;
}

__attribute__((noinline)) static int refuse_resume(fibril_generator *generator, fibril_value sent,
                                                   fibril_value *out) {
  drop(sent);
  if (out != NULL) *out = fibril_undefined();
  if (generator->state == FIBRIL__GENERATOR_RUNNING) return FIBRIL_ERUNNING;
  drop(generator->out);
  generator->out = fibril_undefined();
  return FIBRIL_DONE;
}

__attribute__((noinline)) static int resume_specially(fibril_generator *generator,
                                                      fibril_coroutine *caller) {
  fibril_coroutine *coroutine = generator->coroutine;
  if (generator->closing) fibril__call_begin(coroutine, fibril__error_code(UV_ECANCELED));
  if (caller == NULL || caller->loop != generator->loop) return run_from_loop(generator);
  fibril__call_link(caller, coroutine);
  return fibril__exceptions_watched()
             ? fibril__call_watched(caller, coroutine)
             : fibril__switch_status(&caller->context, &coroutine->context);
}

static inline int resume_generator(fibril_generator *generator, fibril_value sent,
                                   fibril_value *out) {
  if (FIBRIL__UNLIKELY(generator->state == FIBRIL__GENERATOR_RUNNING ||
                       generator->state == FIBRIL__GENERATOR_ENDED))
    return refuse_resume(generator, sent, out);
  drop(generator->sent);
  drop(generator->out);
  fibril_coroutine *coroutine = generator->coroutine, *caller = fibril__self();
  generator->sent = sent;
  generator->out.tag = FIBRIL_UNDEFINED;
  generator->to = out;
  generator->state = FIBRIL__GENERATOR_RUNNING;
  fibril__call_begin(coroutine, fibril__value_borrow(sent));
  if (FIBRIL__UNLIKELY(caller == NULL || generator->special || caller->loop != generator->loop))
    return resume_specially(generator, caller);
  fibril__call_link(caller, coroutine);
  return fibril__switch_status(&caller->context, &coroutine->context);
}

int fibril_generator_next(fibril_generator *generator, fibril_value *out) {
  return resume_generator(generator, undefined, out);
}

int fibril_generator_send(fibril_generator *generator, fibril_value value, fibril_value *out) {
  value = take(value);
  if (generator->state == FIBRIL__GENERATOR_FRESH && fibril_value_kind(value) != FIBRIL_UNDEFINED) {
    fibril_value_free(value);
    if (out != NULL) *out = fibril_undefined();
    return FIBRIL_ENOTSTARTED;
  }
  return resume_generator(generator, value, out);
}

int fibril_generator_close(fibril_generator *generator) {
  if (generator->state == FIBRIL__GENERATOR_RUNNING) return FIBRIL_ERUNNING;
  if (generator->state == FIBRIL__GENERATOR_ENDED) return 0;
  if (generator->state == FIBRIL__GENERATOR_FRESH) {
    fibril__coroutine_release(generator->coroutine);
    generator->coroutine = NULL;
    generator->state = FIBRIL__GENERATOR_ENDED;
    fibril__clients_of(generator->loop)->generators--;
    return 0;
  }
  generator->closing = generator->special = true;
  fibril__coroutine_set_cancelled(generator->coroutine);
  resume_generator(generator, undefined, NULL);
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

static inline fibril__context *hand_over(fibril_generator *generator, fibril_value value) {
  generator->out = take(value);
  generator->state = FIBRIL__GENERATOR_SUSPENDED;
  deliver_value(generator);
  return fibril__call_yield(generator->coroutine, FIBRIL_YIELDED);
}

fibril_value fibril__generator_refuse(fibril_generator *generator, const char *name,
                                      fibril_value owned, int code) {
  drop(owned);
  if (++generator->refusals >= FIBRIL__REFUSALS_MAX)
    fibril__fatal("generator \"%s\" goes on yielding although it is closed: fibril_yield gives it "
                  "%s, on which it has to clean up and return",
                  name, fibril_err_name(code));
  return fibril__error_code(code);
}

__attribute__((noinline)) static fibril_value
yield_specially(fibril_generator *generator, fibril_coroutine *self, fibril_value value) {
  if (generator->yield != NULL) return generator->yield(generator, value);
  if (self == NULL || self != generator->coroutine) {
    drop(take(value));
    return fibril__error_code(FIBRIL_ENOTCOROUTINE);
  }
  if (!generator->closing) return fibril__yield_watched(self, hand_over(generator, value));
  return fibril__generator_refuse(generator, fibril__name(self), take(value), UV_ECANCELED);
}

fibril_value fibril_yield(fibril_generator *generator, fibril_value value) {
  fibril_coroutine *self = fibril__self();
  if (FIBRIL__UNLIKELY(self == NULL || self != generator->coroutine || generator->special))
    return yield_specially(generator, self, value);
  return fibril__switch_result(&self->context, hand_over(generator, value));
}

static void close_each(fibril_coroutine *coroutine, void *arg) {
  (void)arg;
  if (fibril__is_called(coroutine)) fibril_generator_close(coroutine->ended_arg);
}

void fibril__generators_close(fibril_loop *loop) {
  fibril__coroutines_each(loop, close_each, NULL);
}
