/* References, and the errors that hold one: what JavaScript threw. */
#include "references.h"

#include "../../core/value/error.h"
#include "to_js.h"
#include "values.h"

#include <stdlib.h>

static void destroy_reference(fibril__box *box, fibril__box **dead) {
  (void)dead;
  fibril__reference *reference = FIBRIL__CONTAINER(fibril__reference, box, box);
  fibril__env *owner = reference->owner;
  /* We may be on a coroutine's stack, where Node-API is out of bounds: the environment deletes it
   * later. */
  if (owner->loop == NULL) {
    free(reference); /* there is no environment any more */
  } else {
    fibril__values *values = fibril__values_of(owner);
    reference->next = values->dead;
    values->dead = reference;
    fibril__loop_want_flush(owner->loop);
  }
  fibril__env_unref(owner);
}

void fibril__references_delete(fibril__env *self) {
  fibril__values *values = fibril__values_of(self);
  while (values->dead != NULL) {
    fibril__reference *reference = values->dead;
    values->dead = reference->next;
    napi_delete_reference(self->env, reference->ref);
    fibril__drop_reference(self->env, reference->resource);
    free(reference);
  }
}

static fibril_value reference_of(fibril__env *self, napi_value value, napi_value resource,
                                 bool wrapped) {
  fibril__reference *reference = calloc(1, sizeof *reference);
  if (reference == NULL) return fibril__error_code(UV_ENOMEM);
  if (napi_create_reference(self->env, value, 1, &reference->ref) != napi_ok) {
    free(reference);
    return fibril__error_code(UV_ENOMEM);
  }
  if (resource != NULL &&
      napi_create_reference(self->env, resource, 1, &reference->resource) != napi_ok) {
    napi_delete_reference(self->env, reference->ref);
    free(reference);
    return fibril__error_code(UV_ENOMEM);
  }
  reference->owner = self;
  reference->wrapped = wrapped;
  reference->callable = resource != NULL;
  fibril__env_ref(self);
  return fibril__value_of(FIBRIL_REFERENCE, &reference->box, destroy_reference);
}

/* A function keeps the async context of the call that brought it. */
static fibril_value function_reference(fibril__env *self, napi_value function) {
  napi_value resource = fibril__env_ask(self, FIBRIL__JS_BIND, 0, NULL);
  return resource == NULL ? fibril__take_failure(self)
                          : reference_of(self, function, resource, false);
}

fibril_value fibril__reference_new(fibril__env *self, napi_value value) {
  napi_valuetype type;
  if (napi_typeof(self->env, value, &type) != napi_ok) return fibril__error_code(UV_EINVAL);
  if (type == napi_function) return function_reference(self, value);
  if (type == napi_object) return reference_of(self, value, NULL, false);
  napi_value holder = fibril__array_to_js(self, &value, 1);
  return holder == NULL ? fibril__take_failure(self) : reference_of(self, holder, NULL, true);
}

/* ---- What JavaScript threw ---- */

/* The message of an Error, which may be anything, even a getter that throws; else "". */
static void error_message(fibril__env *self, napi_value exception, char *message, size_t size) {
  napi_value text;
  bool is_error = false;
  message[0] = '\0';
  if (napi_is_error(self->env, exception, &is_error) != napi_ok || !is_error) return;
  if (napi_get_named_property(self->env, exception, "message", &text) == napi_ok)
    napi_get_value_string_utf8(self->env, text, message, size, NULL);
  else
    fibril__env_take_exception(self);
}

fibril_value fibril__exception_from_js(fibril__env *self, napi_value exception) {
  fibril_value reference = fibril__reference_new(self, exception);
  if (fibril__is_error(reference)) return reference;
  char message[256];
  error_message(self, exception, message, sizeof message);
  return fibril__error_exception(reference, message);
}

fibril_value fibril__take_failure(fibril__env *self) {
  napi_value exception = fibril__env_take_exception(self);
  if (exception != NULL) return fibril__exception_from_js(self, exception);
  return fibril__error_code(fibril__env_is_ending(self) ? FIBRIL_ECLOSED : UV_ENOMEM);
}
