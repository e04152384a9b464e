/* Values across the boundary. */
#include "node.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Below this a copy is cheaper than an external buffer and its finalizer. */
#define EXTERNAL_BUFFER_MIN (64 * 1024)

static napi_value undefined(fibril__env *self) {
  napi_value value = NULL;
  napi_get_undefined(self->env, &value);
  return value;
}

/* ---- References ---- */

static void destroy_reference(fibril__box *box) {
  fibril__reference *reference = FIBRIL__CONTAINER(fibril__reference, box, box);
  fibril__env *owner = reference->owner;
  /* We may be on a coroutine's stack, where Node-API is out of bounds: the environment deletes it
   * later. */
  if (owner->loop == NULL) {
    free(reference); /* there is no environment any more */
  } else {
    reference->next = owner->dead;
    owner->dead = reference;
    owner->loop->flush_wanted = true;
    fibril__loop_activate(owner->loop);
  }
  fibril__env_unref(owner);
}

void fibril__references_delete(fibril__env *self) {
  while (self->dead != NULL) {
    fibril__reference *reference = self->dead;
    self->dead = reference->next;
    napi_delete_reference(self->env, reference->ref);
    if (reference->resource != NULL) napi_delete_reference(self->env, reference->resource);
    free(reference);
  }
}

static fibril_value reference_new(fibril__env *self, napi_value value, napi_value resource,
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
  self->refs++;
  return fibril__value_of(FIBRIL_REFERENCE, &reference->box, destroy_reference);
}

/* A function keeps the async context of the call that brought it. */
static fibril_value function_new(fibril__env *self, napi_value function) {
  napi_value resource;
  if (napi_call_function(self->env, undefined(self), fibril__env_function(self, FIBRIL__JS_BIND), 0,
                         NULL, &resource) != napi_ok)
    return fibril__take_exception(self);
  return reference_new(self, function, resource, false);
}

fibril_value fibril__reference_new(fibril__env *self, napi_value value) {
  napi_valuetype type;
  if (napi_typeof(self->env, value, &type) != napi_ok) return fibril__error_code(UV_EINVAL);
  if (type == napi_function) return function_new(self, value);
  if (type == napi_object) return reference_new(self, value, NULL, false);
  napi_value holder;
  if (napi_create_array_with_length(self->env, 1, &holder) != napi_ok ||
      napi_set_element(self->env, holder, 0, value) != napi_ok)
    return fibril__error_code(UV_ENOMEM);
  return reference_new(self, holder, NULL, true);
}

static napi_value reference_value(fibril__env *self, fibril_value value) {
  fibril__reference *reference = fibril__value_box(value);
  napi_value result = NULL;
  if (reference->owner != self ||
      napi_get_reference_value(self->env, reference->ref, &result) != napi_ok)
    return undefined(self);
  if (reference->wrapped && napi_get_element(self->env, result, 0, &result) != napi_ok) return NULL;
  return result;
}

/* ---- To JavaScript ---- */

static void drop_box(napi_env env, void *data, void *hint) {
  (void)env;
  (void)data;
  fibril_value_free(
      (fibril_value){FIBRIL_BUFFER | FIBRIL__BOXED | FIBRIL__OWNED, {.pointer = hint}});
}

static napi_value buffer_to_js(fibril__env *self, fibril_value value) {
  size_t length;
  void *data = fibril_value_buffer(value, &length);
  napi_value result = NULL;
  if (length >= EXTERNAL_BUFFER_MIN) {
    fibril_value kept = fibril_value_dup(value);
    if (napi_create_external_buffer(self->env, length, data, drop_box, kept.as.pointer, &result) ==
        napi_ok)
      return result;
    fibril_value_free(kept); /* napi_no_external_buffers_allowed: copy */
  }
  return napi_create_buffer_copy(self->env, length, data, NULL, &result) == napi_ok ? result : NULL;
}

/* Among the members of a result an error is a value like others. */
static napi_value nested_error_to_js(fibril__env *self, fibril_value value) {
  int kind;
  napi_value made, description = fibril__error_to_js(self, value, &kind);
  if (description == NULL || kind == FIBRIL__CALL_THROWN) return description;
  return napi_call_function(self->env, undefined(self),
                            fibril__env_function(self, FIBRIL__JS_MAKE_ERROR), 1, &description,
                            &made) == napi_ok
             ? made
             : NULL;
}

static napi_value array_to_js(fibril__env *self, fibril_value value) {
  size_t length = fibril_array_length(value);
  napi_value array;
  if (napi_create_array_with_length(self->env, length, &array) != napi_ok) return NULL;
  for (size_t i = 0; i < length; i++) {
    napi_handle_scope scope;
    if (napi_open_handle_scope(self->env, &scope) != napi_ok) return NULL;
    napi_value item = fibril__to_js(self, fibril_array_get(value, i));
    bool set = item != NULL && napi_set_element(self->env, array, (uint32_t)i, item) == napi_ok;
    napi_close_handle_scope(self->env, scope);
    if (!set) return NULL;
  }
  return array;
}

napi_value fibril__to_js(fibril__env *self, fibril_value value) {
  napi_env env = self->env;
  napi_value result = NULL;
  size_t length;
  const char *text;
  switch (fibril_value_kind(value)) {
    case FIBRIL_NULL: napi_get_null(env, &result); break;
    case FIBRIL_BOOLEAN: napi_get_boolean(env, value.as.integer != 0, &result); break;
    case FIBRIL_NUMBER: napi_create_double(env, value.as.number, &result); break;
    case FIBRIL_BIGINT: napi_create_bigint_int64(env, value.as.integer, &result); break;
    case FIBRIL_STRING:
      text = fibril_value_string(value, &length);
      napi_create_string_utf8(env, text, length, &result);
      break;
    case FIBRIL_BUFFER: return buffer_to_js(self, value);
    case FIBRIL_ARRAY: return array_to_js(self, value);
    case FIBRIL_OBJECT: return fibril__object_to_js(self, value);
    case FIBRIL_REFERENCE: return reference_value(self, value);
    case FIBRIL_ERROR: return nested_error_to_js(self, value);
    case FIBRIL_POINTER:
    case FIBRIL_UNDEFINED: return undefined(self);
  }
  return result;
}

static bool set_text(fibril__env *self, napi_value object, const char *key, const char *text) {
  napi_value value;
  return text == NULL ||
         (napi_create_string_utf8(self->env, text, NAPI_AUTO_LENGTH, &value) == napi_ok &&
          napi_set_named_property(self->env, object, key, value) == napi_ok);
}

napi_value fibril__error_to_js(fibril__env *self, fibril_value value, int *kind) {
  int code = fibril_error_code(value);
  const fibril__error *error = value.tag & FIBRIL__BOXED ? fibril__value_box(value) : NULL;
  *kind = FIBRIL__CALL_THROWN;
  if (error != NULL && fibril_value_kind(error->exception) == FIBRIL_REFERENCE)
    return reference_value(self, error->exception);
  *kind = FIBRIL__CALL_ERROR;
  napi_value description, number;
  const char *name =
      error != NULL && error->code_name != NULL ? error->code_name : fibril_err_name(code);
  if (napi_create_object(self->env, &description) != napi_ok ||
      !set_text(self, description, "code", name) ||
      !set_text(self, description, "text", fibril_strerror(code)))
    return NULL;
  if (error != NULL && (!set_text(self, description, "className", error->class_name) ||
                        !set_text(self, description, "syscall", error->syscall) ||
                        !set_text(self, description, "path", error->path) ||
                        !set_text(self, description, "message", error->message)))
    return NULL;
  if (error != NULL && fibril_value_kind(error->properties) == FIBRIL_OBJECT) {
    napi_value properties = fibril__object_to_js(self, error->properties);
    if (properties == NULL ||
        napi_set_named_property(self->env, description, "properties", properties) != napi_ok)
      return NULL;
  }
  /* Only what the system said has an errno. */
  bool has_errno = (error == NULL || error->class_name == NULL) && code > FIBRIL_EALREADY;
  if (has_errno && (napi_create_int32(self->env, code, &number) != napi_ok ||
                    napi_set_named_property(self->env, description, "errno", number) != napi_ok))
    return NULL;
  return description;
}

napi_value fibril__failure_to_js(fibril__env *self, int *kind) {
  bool pending = false;
  napi_value exception;
  *kind = FIBRIL__CALL_THROWN;
  if (napi_is_exception_pending(self->env, &pending) == napi_ok && pending &&
      napi_get_and_clear_last_exception(self->env, &exception) == napi_ok)
    return exception;
  return fibril__error_to_js(self, fibril__error_code(UV_ENOMEM), kind);
}

/* ---- From JavaScript ---- */

fibril_value fibril__string_from_js(fibril__env *self, napi_value value) {
  size_t length;
  if (napi_get_value_string_utf8(self->env, value, NULL, 0, &length) != napi_ok)
    return fibril__error_code(FIBRIL_ETYPE);
  char small[256], *text = length < sizeof small ? small : malloc(length + 1);
  if (text == NULL) return fibril__error_code(UV_ENOMEM);
  fibril_value result =
      napi_get_value_string_utf8(self->env, value, text, length + 1, &length) == napi_ok
          ? fibril_string(text, length)
          : fibril__error_code(FIBRIL_ETYPE);
  if (text != small) free(text);
  return result;
}

fibril_value fibril__from_js_bytes(fibril__env *self, napi_value value, bool *is_bytes) {
  napi_env env = self->env;
  void *data = NULL;
  size_t length = 0;
  bool is = false;
  *is_bytes = true;
  /* napi_is_buffer means any view of an ArrayBuffer. */
  if (napi_is_buffer(env, value, &is) == napi_ok && is &&
      napi_get_buffer_info(env, value, &data, &length) == napi_ok)
    return fibril_buffer(data, length);
  if (napi_is_arraybuffer(env, value, &is) == napi_ok && is &&
      napi_get_arraybuffer_info(env, value, &data, &length) == napi_ok)
    return fibril_buffer(data, length);
  *is_bytes = false;
  return fibril_undefined();
}

/* Numbers, booleans, null and undefined; false for everything else. */
static bool scalar_from_js(fibril__env *self, napi_value value, napi_valuetype type,
                           fibril_value *out) {
  double number;
  bool truth;
  switch (type) {
    case napi_undefined: *out = fibril_undefined(); return true;
    case napi_null: *out = fibril_null(); return true;
    case napi_boolean:
      napi_get_value_bool(self->env, value, &truth);
      *out = fibril_boolean(truth);
      return true;
    case napi_number:
      napi_get_value_double(self->env, value, &number);
      *out = fibril_number(number);
      return true;
    default: return false;
  }
}

fibril_value fibril__from_js_exact(fibril__env *self, napi_value value) {
  napi_valuetype type;
  fibril_value result;
  if (napi_typeof(self->env, value, &type) != napi_ok) return fibril__error_code(UV_EINVAL);
  return scalar_from_js(self, value, type, &result) ? result : fibril__reference_new(self, value);
}

fibril_value fibril__from_js(fibril__env *self, napi_value value) {
  napi_valuetype type;
  fibril_value result;
  bool flag = false;
  int64_t integer;
  if (napi_typeof(self->env, value, &type) != napi_ok) return fibril__error_code(UV_EINVAL);
  if (scalar_from_js(self, value, type, &result)) return result;
  if (type == napi_string) return fibril__string_from_js(self, value);
  if (type == napi_bigint &&
      napi_get_value_bigint_int64(self->env, value, &integer, &flag) == napi_ok && flag)
    return fibril_bigint(integer);
  if (type == napi_object) {
    result = fibril__from_js_bytes(self, value, &flag);
    if (flag) return result;
  }
  return fibril__reference_new(self, value);
}

/* The message of an Error, which may be anything, even a getter that throws; else "". */
static void error_message(fibril__env *self, napi_value exception, char *message, size_t size) {
  napi_value text;
  bool is_error = false;
  message[0] = '\0';
  if (napi_is_error(self->env, exception, &is_error) != napi_ok || !is_error) return;
  if (napi_get_named_property(self->env, exception, "message", &text) == napi_ok)
    napi_get_value_string_utf8(self->env, text, message, size, NULL);
  else
    napi_get_and_clear_last_exception(self->env, &text);
}

fibril_value fibril__take_exception(fibril__env *self) {
  napi_value exception;
  bool pending = false;
  if (napi_is_exception_pending(self->env, &pending) != napi_ok || !pending ||
      napi_get_and_clear_last_exception(self->env, &exception) != napi_ok)
    return fibril__error_code(FIBRIL_ECLOSED); /* the environment is being torn down */
  fibril_value reference = fibril__reference_new(self, exception);
  if (fibril__is_error(reference)) return reference;
  char message[256];
  error_message(self, exception, message, sizeof message);
  return fibril__error_exception(reference, message);
}

fibril_value fibril__take_failure(fibril__env *self) {
  bool pending = false;
  napi_is_exception_pending(self->env, &pending);
  return pending ? fibril__take_exception(self) : fibril__error_code(UV_ENOMEM);
}
