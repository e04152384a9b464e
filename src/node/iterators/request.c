/* Requests: JavaScript asks for the next item, which the coroutine yields at once, has yielded
 * already, or will. */
#include "request.h"

#include "../env/gate.h"
#include "../values/from_js.h"
#include "../values/references.h"
#include "../values/to_js.h"

/* What a request has come to. */
typedef struct {
  int kind;
  bool done;
  double number;
  napi_value value;
} answer;

/* Takes `owned`. It may run JavaScript, which may ask this iterator, too. */
static answer answer_with(fibril__env *self, fibril_value owned, bool done) {
  answer a = {.done = done};
  a.kind = fibril__result_to_js(self, owned, &a.number, &a.value);
  return a;
}

static answer answer_error(fibril__env *self, int code) {
  return answer_with(self, fibril__error_code(code), false);
}

/* The last thing before JavaScript reads it: whatever runs in between may be another request. */
static napi_value give_answer(fibril__env *self, answer a) {
  fibril__calls_note_turn(self);
  fibril__env_set_status(self, FIBRIL__STATUS_DONE, a.done);
  fibril__env_set_result(self, a.kind, a.number);
  return a.value;
}

/* Who gets an error for an item asks for no more: `for` loops don't even call return. */
static answer item_answer(fibril__iterator *iterator) {
  answer a = answer_with(iterator->env, fibril__drive_take(&iterator->drive), false);
  if (a.kind >= FIBRIL__CALL_ERROR)
    fibril__iterator_unwind(iterator);
  else
    fibril__drive_refill(&iterator->drive);
  return a;
}

static answer result_answer(fibril__iterator *iterator) {
  return answer_with(iterator->env, fibril__drive_take_result(&iterator->drive), true);
}

/* What has come of it; if nothing has, it will be told. */
static answer answer_of(fibril__iterator *iterator) {
  if (iterator->drive.count > 0) return item_answer(iterator);
  if (fibril__drive_has_ended(&iterator->drive)) return result_answer(iterator);
  fibril__forget_returns();
  fibril__drive_want(&iterator->drive);
  return (answer){.kind = FIBRIL__CALL_PENDING};
}

/* What a yield that waits is to return; owned. An error of its own is why it can't be told. */
static fibril_value receive(fibril__iterator *iterator, napi_value value) {
  napi_valuetype type;
  if (iterator->drive.ahead > 0 || napi_typeof(iterator->env->env, value, &type) != napi_ok ||
      type == napi_undefined)
    return fibril_undefined();
  return fibril__from_js(iterator->env, value);
}

/* What is sent is converted before anything is looked at: JavaScript that runs then may be another
 * request. */
static answer ask_next(fibril__iterator *iterator, napi_value value) {
  fibril__drive *drive = &iterator->drive;
  int err = 0;
  fibril_value sent = fibril_undefined();
  if (drive->count == 0 && fibril__drive_is_suspended(drive)) sent = receive(iterator, value);
  if (fibril__is_error(sent)) {
    err = fibril_error_code(sent);
  } else if (drive->count == 0 && drive->fresh) {
    err = fibril__drive_start(drive);
  } else if (drive->count == 0 && fibril__drive_is_suspended(drive)) {
    fibril__drive_send(drive, sent);
    sent = fibril_undefined();
  }
  fibril_value_free(sent);
  return err == 0 ? answer_of(iterator) : answer_error(iterator->env, err);
}

static answer ask_throw(fibril__iterator *iterator, napi_value value) {
  if (fibril__iterator_throw(iterator, fibril__exception_from_js(iterator->env, value)))
    return answer_of(iterator);
  if (fibril__is_error(iterator->drive.result)) return result_answer(iterator);
  return (answer){.kind = FIBRIL__CALL_THROWN, .done = true, .value = value};
}

static answer attend(fibril__iterator *iterator, int request, napi_value value) {
  fibril__env *self = iterator->env;
  fibril__drive *drive = &iterator->drive;
  if (request == FIBRIL__REQUEST_ABORT) {
    fibril__drive_cancel(drive);
    return (answer){.kind = FIBRIL__CALL_PENDING};
  }
  if (!drive->sync) {
    iterator->slot = fibril__calls_slot(self);
    if (!fibril__calls_reserve(self, iterator->slot)) return answer_error(self, UV_ENOMEM);
  } else if (fibril__drive_is_running(drive) && !fibril__drive_is_suspended(drive)) {
    return answer_with(
        self, fibril_error_type("TypeError", "FIBRIL_ERUNNING", "Generator is already running"),
        false);
  }
  if (request == FIBRIL__REQUEST_NEXT) return ask_next(iterator, value);
  if (request == FIBRIL__REQUEST_THROW) return ask_throw(iterator, value);
  fibril__iterator_unwind(iterator);
  return answer_of(iterator);
}

/* iterate(iterator, value): what STATUS_REQUEST says. */
static napi_value native_iterate(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  size_t argc = 2;
  void *data, *known;
  if (napi_get_cb_info(env, info, &argc, argv, NULL, &data) != napi_ok ||
      napi_get_value_external(env, argv[0], &known) != napi_ok)
    return NULL;
  fibril__env *self = data;
  fibril__iterator *iterator = known;
  if (self->exiting || iterator->env == NULL)
    return give_answer(self, answer_error(self, FIBRIL_ECLOSED));
  fibril__env_enter_js(self);
  answer a = attend(iterator, self->status[FIBRIL__STATUS_REQUEST], argv[1]);
  fibril__env_leave_js(self);
  return give_answer(self, a);
}

/* ---- Making one ---- */

/* The object has been collected. */
static void finalize_iterator(napi_env env, void *data, void *hint) {
  (void)env;
  (void)hint;
  fibril__iterator_release(data);
}

/* An asynchronous one waits later, for its first value. Or *refused is what JavaScript gets. */
static bool may_begin(const fibril__export *callee, napi_value *refused) {
  fibril__env *self = callee->env;
  if (callee->form == FIBRIL__FORM_ASYNC_GENERATOR && !self->exiting) return true;
  fibril_value refusal = fibril__gate_refusal(self, callee->name);
  if (!fibril__is_error(refusal)) return true;
  *refused = give_answer(self, answer_with(self, refusal, false));
  return false;
}

napi_value fibril__iterator_begin_on(const fibril__export *callee, const napi_value *argv,
                                     fibril__instance *receiver) {
  fibril__env *self = callee->env;
  napi_value out;
  if (FIBRIL__UNLIKELY(self->barred) && !may_begin(callee, &out)) return out;
  fibril__iterator *iterator = fibril__iterator_new(callee, receiver);
  if (iterator == NULL) return give_answer(self, answer_error(self, UV_ENOMEM));
  const fibril__given given = {.argv = argv};
  int kind = fibril__args_decode(&iterator->args, &given, &out);
  if (kind != FIBRIL__CALL_PENDING) {
    fibril__iterator_abandon(iterator, false);
    fibril__env_set_status(self, FIBRIL__STATUS_RESULT, kind);
    return out;
  }
  if (napi_create_external(self->env, iterator, finalize_iterator, NULL, &out) == napi_ok)
    return give_answer(self, (answer){.kind = FIBRIL__CALL_VALUE, .value = out});
  fibril__iterator_abandon(iterator, true);
  return give_answer(self, answer_with(self, fibril__take_failure(self), false));
}

napi_value fibril__iterator_begin(napi_env env, napi_callback_info info) {
  napi_value argv[FIBRIL__PARAMETERS_MAX];
  size_t argc = FIBRIL__PARAMETERS_MAX;
  void *callee;
  if (napi_get_cb_info(env, info, &argc, argv, NULL, &callee) != napi_ok) return NULL;
  return fibril__iterator_begin_on(callee, argv, NULL);
}

bool fibril__iterators_native(fibril__env *self, napi_value native) {
  napi_property_descriptor iterate = {"iterate", NULL, native_iterate, NULL,
                                      NULL,      NULL, napi_default,   self};
  return napi_define_properties(self->env, native, 1, &iterate) == napi_ok;
}
