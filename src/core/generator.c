/* Asymmetric generators: a coroutine whose yields go to whoever called next. */
#include "core.h"

#include <stdlib.h>

const char fibril__what_consumer[] = "consumer";

/* A generator whose yields were refused this many times after close is not going to end. */
#define REFUSALS_MAX 10000

fibril_coroutine *fibril__generator_caller(const fibril_coroutine *coroutine) {
  const fibril_generator *generator = coroutine->generator;
  bool called = generator != NULL && generator->state == FIBRIL__GENERATOR_RUNNING;
  return called ? generator->caller : NULL;
}

bool fibril__generator_suspended(const fibril_coroutine *coroutine) {
  return coroutine->generator != NULL && coroutine->generator->state == FIBRIL__GENERATOR_SUSPENDED;
}

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
  generator->coroutine->generating = generator->coroutine->encumbered = true;
  generator->loop = loop;
  generator->fn = fn;
  generator->arg = arg;
  generator->special = fibril__exceptions_watched();
  return generator;
}

static const fibril_value undefined = {FIBRIL_UNDEFINED, {.integer = 0}};

static inline fibril_value take(fibril_value value) {
  return value.tag & FIBRIL__BOXED ? fibril_value_take(value) : value;
}

static inline void drop(fibril_value value) {
  if (value.tag & FIBRIL__OWNED) fibril_value_free(value);
}

/* ---- Both directions ----
 *
 * Where both sides are coroutines, next and yield end in the switch itself, fibril__switch_result:
 * what they return has been put into the control block of who gets it. */

/* Gets ready to go on in the caller, whose next returns `status`. */
static inline void leave_for_caller(fibril_generator *generator, int status) {
  if (generator->to != NULL) *generator->to = fibril__value_borrow(generator->out);
  if (generator->caller == NULL) return; /* the frame does the rest */
  generator->caller->result.tag = (uint64_t)status;
  generator->loop->current = generator->caller;
}

fibril__context *fibril__generator_ended(fibril_coroutine *coroutine) {
  fibril_generator *generator = coroutine->generator;
  generator->out = take(coroutine->result);
  generator->state = FIBRIL__GENERATOR_ENDED;
  generator->coroutine = NULL;
  leave_for_caller(generator, FIBRIL_DONE);
  fibril__coroutine_release(coroutine);
  return generator->back;
}

/* Runs it from the loop's stack: nothing can wait, but the generator can hop here. */
__attribute__((noinline)) static int run_from_loop(fibril_generator *generator) {
  fibril__frame frame;
  generator->coroutine->root = generator->coroutine;
  generator->caller = NULL;
  generator->back = &frame.context;
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

/* A wait inside the generator suspends the whole chain. */
static inline void link_to(fibril_generator *generator, fibril_coroutine *caller) {
  generator->coroutine->root = caller->root;
  generator->caller = caller;
  generator->back = &caller->context;
  generator->loop->current = generator->coroutine;
}

__attribute__((noinline)) static int resume_specially(fibril_generator *generator,
                                                      fibril_coroutine *caller) {
  fibril_coroutine *coroutine = generator->coroutine;
  if (generator->closing) coroutine->result = fibril__error_code(UV_ECANCELED);
  if (caller == NULL) return run_from_loop(generator);
  link_to(generator, caller);
  return fibril__exceptions_watched()
             ? fibril__exceptions_next(caller, coroutine)
             : fibril__switch_status(&caller->context, &coroutine->context);
}

static inline int resume(fibril_generator *generator, fibril_value sent, fibril_value *out) {
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
  coroutine->state = FIBRIL__ACTIVE;
  coroutine->result = fibril__value_borrow(sent);
  if (FIBRIL__UNLIKELY(caller == NULL || generator->special))
    return resume_specially(generator, caller);
  link_to(generator, caller);
  return fibril__switch_status(&caller->context, &coroutine->context);
}

int fibril_generator_next(fibril_generator *generator, fibril_value *out) {
  return resume(generator, undefined, out);
}

int fibril_generator_send(fibril_generator *generator, fibril_value value, fibril_value *out) {
  value = take(value);
  if (generator->state == FIBRIL__GENERATOR_FRESH && fibril_value_kind(value) != FIBRIL_UNDEFINED) {
    fibril_value_free(value);
    if (out != NULL) *out = fibril_undefined();
    return FIBRIL_ENOTSTARTED;
  }
  return resume(generator, value, out);
}

int fibril_generator_close(fibril_generator *generator) {
  if (generator->state == FIBRIL__GENERATOR_RUNNING) return FIBRIL_ERUNNING;
  if (generator->state == FIBRIL__GENERATOR_ENDED) return 0;
  if (generator->state == FIBRIL__GENERATOR_FRESH) {
    fibril__coroutine_release(generator->coroutine);
    generator->coroutine = NULL;
    generator->state = FIBRIL__GENERATOR_ENDED;
    return 0;
  }
  generator->closing = generator->special = true;
  generator->coroutine->cancelled = true;
  resume(generator, undefined, NULL);
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
  generator->coroutine->state = FIBRIL__WAITING;
  leave_for_caller(generator, FIBRIL_YIELDED);
  return generator->back;
}

__attribute__((noinline)) static fibril_value
yield_specially(fibril_generator *generator, fibril_coroutine *self, fibril_value value) {
  if (generator->yield != NULL) return generator->yield(generator, value);
  if (self == NULL || self->generator != generator) return fibril__error_code(FIBRIL_ENOTCOROUTINE);
  if (!generator->closing) return fibril__exceptions_yield(self, hand_over(generator, value));
  drop(take(value));
  if (++generator->refusals >= REFUSALS_MAX)
    fibril__fatal("generator \"%s\" goes on yielding although it is closed: fibril_yield gives it "
                  "UV_ECANCELED, on which it has to clean up and return",
                  fibril__name(self));
  return fibril__error_code(UV_ECANCELED);
}

fibril_value fibril_yield(fibril_generator *generator, fibril_value value) {
  fibril_coroutine *self = fibril__self();
  if (FIBRIL__UNLIKELY(self == NULL || self->generator != generator || generator->special))
    return yield_specially(generator, self, value);
  return fibril__switch_result(&self->context, hand_over(generator, value));
}

static void close_each(fibril_coroutine *coroutine, void *arg) {
  (void)arg;
  if (coroutine->generator != NULL) fibril_generator_close(coroutine->generator);
}

void fibril__generators_close(fibril_loop *loop) {
  fibril__coroutines_each(loop, close_each, NULL);
}
