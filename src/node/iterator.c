/* Iterators: JavaScript asks for the next item, which the coroutine yields at once, has yielded
 * already, or will. */
#include "iterator.h"

#include "../core/run.h"

#include <stdlib.h>

#define REFUSALS_MAX 10000

/* What JavaScript asks for; the runtime has the same numbers. */
enum { NEXT, THROW, RETURN, ABORT };

/* ---- Items ---- */

static void push_item(fibril__iterator *iterator, fibril_value owned) {
  iterator->items[(iterator->first + iterator->count++) % iterator->capacity] = owned;
}

static fibril_value take_item(fibril__iterator *iterator) {
  fibril_value item = iterator->items[iterator->first];
  iterator->first = (iterator->first + 1) % iterator->capacity;
  iterator->count--;
  return item;
}

static void drop_items(fibril__iterator *iterator) {
  while (iterator->count > 0) fibril_value_free(take_item(iterator));
}

static inline void set_sent(fibril__iterator *iterator, fibril_value owned) {
  fibril_value_free(iterator->sent);
  iterator->sent = owned;
}

/* ---- The coroutine's side ---- */

/* JavaScript is told that there is an item, or the end, and comes for it. */
static void tell(fibril__iterator *iterator) {
  if (!iterator->wanted) return;
  iterator->wanted = false;
  fibril__calls_settle(iterator->env, iterator->slot, fibril_undefined());
}

static fibril_value refuse(fibril__iterator *iterator, fibril_value owned, int code) {
  fibril_value_free(owned);
  if (++iterator->generator.refusals >= REFUSALS_MAX)
    fibril__fatal("generator \"%s\" goes on yielding although it is closed: fibril_yield gives it "
                  "%s, on which it has to clean up and return",
                  iterator->args.callee->name, fibril_err_name(code));
  return fibril__error_code(code);
}

/* Until the consumer asks for more than there is. */
static int wait_for_consumer(fibril__iterator *iterator, fibril_coroutine *self) {
  fibril__wait wait = {.what = fibril__what_consumer, .cancel = fibril__wait_cancel_now};
  iterator->yielding = &wait;
  int err = fibril__wait_until_woken(self, &wait);
  iterator->yielding = NULL;
  return iterator->generator.closing ? UV_ECANCELED : err;
}

static fibril_value yield(fibril_generator *generator, fibril_value value) {
  fibril__iterator *iterator = FIBRIL__CONTAINER(fibril__iterator, generator, generator);
  fibril_coroutine *self = fibril__self();
  if (self == NULL || self != generator->coroutine) return fibril__error_code(FIBRIL_ENOTCOROUTINE);
  if (fibril__is_error(value)) return value; /* nobody could tell it from one of next itself */
  value = fibril_value_take(value);
  if (generator->closing || iterator->env->exiting) return refuse(iterator, value, UV_ECANCELED);
  int err = fibril__wait_check(self);
  if (err != 0 && err != FIBRIL_ESYNC) return refuse(iterator, value, err);
  if (iterator->thrown) {
    iterator->thrown = false;
    fibril_value_free(value);
    return fibril__value_borrow(iterator->sent);
  }
  set_sent(iterator, fibril_undefined());
  push_item(iterator, value);
  tell(iterator);
  if (iterator->count < iterator->ahead) return fibril_undefined();
  err = wait_for_consumer(iterator, self);
  if (err != 0) return fibril__error_code(err);
  iterator->thrown = false; /* it was, between its being woken and here */
  return fibril__value_borrow(iterator->sent);
}

static fibril_value run(void *arg) {
  fibril__iterator *iterator = arg;
  return iterator->args.callee->generate(&iterator->args, &iterator->generator);
}

/* For the next flush, which runs on the loop's stack, outside of finalizers. */
static void queue_unheld(fibril__iterator *iterator) {
  fibril__env *self = iterator->env;
  if (iterator->queued) return;
  iterator->queued = true;
  iterator->next_unheld = self->unheld;
  self->unheld = iterator;
  self->loop->flush_wanted = true;
  fibril__loop_activate(self->loop);
}

/* Only queues: it may run on the coroutine's stack. */
static void on_ended(void *arg, fibril_value result) {
  fibril__iterator *iterator = arg;
  iterator->generator.coroutine = NULL;
  iterator->result = result;
  fibril__args_free(&iterator->args);
  tell(iterator);
  if (!iterator->held) queue_unheld(iterator);
}

/* ---- Running it ---- */

static bool is_suspended(const fibril__iterator *iterator) {
  return iterator->yielding != NULL && !iterator->yielding->woken;
}

static bool has_ended(const fibril__iterator *iterator) {
  return !iterator->fresh && iterator->generator.coroutine == NULL;
}

/* Up to its next wait, at once, however deep frames nest. */
static inline void run_now(fibril__env *self, fibril_coroutine *coroutine) {
  fibril__frame frame;
  coroutine->state = FIBRIL__ACTIVE;
  if (self->loop->frame == NULL)
    fibril__run(self->loop, coroutine);
  else
    fibril__enter_in(self->loop, &frame, coroutine);
}

static int start(fibril__iterator *iterator) {
  const fibril__export *callee = iterator->args.callee;
  fibril_coroutine *coroutine;
  int err = fibril__coroutine_prepare(iterator->env->loop, callee->stack_class, 0, &coroutine);
  if (err != 0) return err;
  coroutine->stack->name = callee->name;
  coroutine->fn = run;
  coroutine->arg = iterator;
  coroutine->ended = on_ended;
  coroutine->generating = iterator->sync ? FIBRIL__SYNCHRONOUS : 0;
  iterator->fresh = false;
  iterator->generator.coroutine = coroutine;
  run_now(iterator->env, coroutine);
  return 0;
}

static void resume(fibril__iterator *iterator) {
  iterator->yielding->woken = true;
  iterator->yielding->status = 0;
  run_now(iterator->env, iterator->generator.coroutine);
}

/* One that never ran just ends. */
static void end_fresh(fibril__iterator *iterator) {
  iterator->fresh = false;
  fibril__args_free(&iterator->args);
}

/* Lets it unwind. */
static void unwind(fibril__iterator *iterator) {
  fibril_coroutine *coroutine = iterator->generator.coroutine;
  drop_items(iterator);
  iterator->generator.closing = true;
  if (iterator->fresh) {
    end_fresh(iterator);
  } else if (coroutine != NULL) {
    bool suspended = is_suspended(iterator);
    if (suspended) iterator->yielding->cancel = NULL;
    fibril__coroutine_cancel(coroutine);
    if (suspended) resume(iterator);
  }
}

/* ---- JavaScript's side ---- */

static napi_value give(fibril__env *self, fibril_value owned, bool done) {
  napi_value out;
  self->status[FIBRIL__STATUS_DONE] = done;
  self->status[FIBRIL__STATUS_RESULT] = fibril__result_to_js(self, owned, self->immediate, &out);
  return out;
}

/* Who gets an error for an item asks for no more: `for` loops don't even call return. */
static napi_value give_item(fibril__iterator *iterator) {
  fibril__env *self = iterator->env;
  napi_value out = give(self, take_item(iterator), false);
  if (self->status[FIBRIL__STATUS_RESULT] >= FIBRIL__CALL_ERROR) {
    int kind = self->status[FIBRIL__STATUS_RESULT];
    unwind(iterator);
    self->status[FIBRIL__STATUS_RESULT] = kind;
  } else if (iterator->ahead > 0 && iterator->count <= iterator->ahead / 2 &&
             is_suspended(iterator)) { /* not for each: waking it costs */
    fibril__wake(iterator->yielding, 0);
  }
  return out;
}

static napi_value give_result(fibril__iterator *iterator) {
  fibril_value result = iterator->result;
  iterator->result = fibril_undefined();
  if (iterator->generator.closing && fibril_error_code(result) == UV_ECANCELED) {
    fibril_value_free(result);
    result = fibril_undefined();
  }
  return give(iterator->env, result, true);
}

/* What has come of it; if nothing has, it will be told. */
static napi_value outcome(fibril__iterator *iterator) {
  if (iterator->count > 0) return give_item(iterator);
  if (has_ended(iterator)) return give_result(iterator);
  fibril__forget_returns();
  iterator->wanted = true;
  iterator->env->status[FIBRIL__STATUS_RESULT] = FIBRIL__CALL_PENDING;
  return NULL;
}

/* 0, or why its function can't be told what was sent. */
static int receive(fibril__iterator *iterator, napi_value value) {
  napi_valuetype type;
  if (iterator->ahead > 0 || napi_typeof(iterator->env->env, value, &type) != napi_ok ||
      type == napi_undefined)
    return 0;
  fibril_value sent = fibril__from_js(iterator->env, value);
  int err = fibril__is_error(sent) ? fibril_error_code(sent) : 0;
  if (err == 0)
    set_sent(iterator, sent);
  else
    fibril_value_free(sent);
  return err;
}

static napi_value next(fibril__iterator *iterator, napi_value value) {
  int err = 0;
  if (iterator->count == 0 && iterator->fresh) {
    err = start(iterator);
  } else if (iterator->count == 0 && is_suspended(iterator)) {
    err = receive(iterator, value);
    if (err == 0) resume(iterator);
  }
  return err == 0 ? outcome(iterator) : give(iterator->env, fibril__error_code(err), false);
}

static napi_value throw_into(fibril__iterator *iterator, napi_value value) {
  fibril__env *self = iterator->env;
  drop_items(iterator);
  if (iterator->fresh) end_fresh(iterator);
  if (has_ended(iterator)) {
    if (fibril__is_error(iterator->result)) return give_result(iterator);
    self->status[FIBRIL__STATUS_DONE] = true;
    self->status[FIBRIL__STATUS_RESULT] = FIBRIL__CALL_THROWN;
    return value;
  }
  napi_throw(self->env, value);
  set_sent(iterator, fibril__take_exception(self));
  if (is_suspended(iterator))
    resume(iterator);
  else
    iterator->thrown = true;
  return outcome(iterator);
}

static napi_value abort_now(const fibril__iterator *iterator) {
  if (iterator->generator.coroutine != NULL)
    fibril__coroutine_cancel(iterator->generator.coroutine);
  return NULL;
}

static napi_value attend(fibril__iterator *iterator, int request, napi_value value) {
  fibril__env *self = iterator->env;
  if (request == ABORT) return abort_now(iterator);
  if (!iterator->sync) {
    iterator->slot = (uint32_t)self->status[FIBRIL__STATUS_SLOT];
    if (!fibril__calls_reserve(self, iterator->slot))
      return give(self, fibril__error_code(UV_ENOMEM), false);
  } else if (!iterator->fresh && !has_ended(iterator) && !is_suspended(iterator)) {
    return give(self,
                fibril_error_type("TypeError", "FIBRIL_ERUNNING", "Generator is already running"),
                false);
  }
  if (request == NEXT) return next(iterator, value);
  if (request == THROW) return throw_into(iterator, value);
  unwind(iterator);
  return outcome(iterator);
}

/* iterate(iterator, value): what STATUS_REQUEST says. */
static napi_value native_iterate(napi_env env, napi_callback_info info) {
  napi_value argv[2], out;
  size_t argc = 2;
  void *data, *known;
  if (napi_get_cb_info(env, info, &argc, argv, NULL, &data) != napi_ok ||
      napi_get_value_external(env, argv[0], &known) != napi_ok)
    return NULL;
  fibril__env *self = data;
  fibril__iterator *iterator = known;
  if (self->exiting || iterator->env == NULL)
    return give(self, fibril__error_code(FIBRIL_ECLOSED), false);
  self->in_js++;
  out = attend(iterator, self->status[FIBRIL__STATUS_REQUEST], argv[1]);
  self->in_js--;
  self->status[FIBRIL__STATUS_TURN] = fibril__queued(self->loop) > 0 || self->calls.count > 0;
  return out;
}

/* ---- Making and ending one ---- */

/* The object has been collected: only queues. */
static void finalize(napi_env env, void *data, void *hint) {
  fibril__iterator *iterator = data;
  (void)env;
  (void)hint;
  iterator->held = false;
  if (iterator->env == NULL)
    free(iterator);
  else
    queue_unheld(iterator);
}

/* What it still has, but its memory. */
static void discard(fibril__iterator *iterator) {
  drop_items(iterator);
  if (iterator->fresh) end_fresh(iterator);
  fibril_value_free(iterator->sent);
  fibril_value_free(iterator->result);
  *iterator->link = iterator->next;
  if (iterator->next != NULL) iterator->next->link = iterator->link;
  iterator->env = NULL;
  if (!iterator->held) free(iterator);
}

void fibril__iterators_collect(fibril__env *self) {
  while (self->unheld != NULL) {
    fibril__iterator *iterator = self->unheld;
    self->unheld = iterator->next_unheld;
    iterator->queued = false;
    if (iterator->generator.coroutine != NULL) {
      if (!iterator->generator.closing) unwind(iterator); /* and its end comes here again */
      continue;
    }
    int code = fibril_error_code(iterator->result);
    if (code != 0 && code != UV_ECANCELED)
      fibril__loop_log(self->loop, "a generator that nobody had any more failed", iterator->result);
    discard(iterator);
  }
}

void fibril__iterators_end(fibril__env *self) {
  self->unheld = NULL;
  while (self->iterators != NULL) discard(self->iterators);
}

static fibril__iterator *iterator_new(const fibril__export *callee, fibril__instance *instance) {
  fibril__env *self = callee->env;
  uint32_t capacity = callee->ahead > 0 ? callee->ahead : 1;
  size_t values = callee->room - sizeof(fibril__call);
  fibril__iterator *iterator =
      calloc(1, sizeof *iterator + values + capacity * sizeof(fibril_value));
  if (iterator == NULL) return NULL;
  iterator->generator =
      (fibril_generator){.loop = self->loop, .state = FIBRIL__GENERATOR_RUNNING, .yield = yield};
  iterator->env = self;
  iterator->fresh = iterator->held = true;
  iterator->sync = callee->form == FIBRIL__FORM_GENERATOR;
  iterator->ahead = callee->ahead;
  iterator->capacity = capacity;
  iterator->items = (fibril_value *)(void *)((char *)iterator->values + values);
  iterator->args = (fibril_args){callee, iterator->values, instance};
  if (instance != NULL) fibril__instance_ref(instance);
  iterator->next = self->iterators;
  iterator->link = &self->iterators;
  if (iterator->next != NULL) iterator->next->link = &iterator->next;
  self->iterators = iterator;
  return iterator;
}

napi_value fibril__iterator_begin(napi_env env, napi_callback_info info) {
  napi_value argv[FIBRIL__PARAMETERS_MAX], object, out;
  size_t argc = FIBRIL__PARAMETERS_MAX;
  void *data;
  fibril_value error;
  fibril__instance *instance = NULL;
  if (napi_get_cb_info(env, info, &argc, argv, &object, &data) != napi_ok) return NULL;
  const fibril__export *callee = data;
  fibril__env *self = callee->env;
  if (self->exiting) return give(self, fibril__error_code(FIBRIL_ECLOSED), false);
  if (callee->cls != NULL) {
    instance = fibril__instance_of(callee->cls, object, &error);
    if (instance == NULL) return give(self, error, false);
  }
  fibril__iterator *iterator = iterator_new(callee, instance);
  if (iterator == NULL) return give(self, fibril__error_code(UV_ENOMEM), false);
  int kind = fibril__args_decode(&iterator->args, argv, &out);
  if (kind != FIBRIL__CALL_PENDING) {
    iterator->fresh = iterator->held = false; /* its arguments have been freed */
    discard(iterator);
    self->status[FIBRIL__STATUS_RESULT] = kind;
    return out;
  }
  self->status[FIBRIL__STATUS_RESULT] = FIBRIL__CALL_VALUE;
  if (napi_create_external(env, iterator, finalize, NULL, &out) == napi_ok) return out;
  iterator->held = false;
  discard(iterator);
  return give(self, fibril__take_failure(self), false);
}

bool fibril__iterator_native(fibril__env *self, napi_value native) {
  napi_property_descriptor iterate = {"iterate", NULL, native_iterate, NULL,
                                      NULL,      NULL, napi_default,   self};
  return napi_define_properties(self->env, native, 1, &iterate) == napi_ok;
}
