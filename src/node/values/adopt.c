/* C's bytes become JavaScript's: large ones that nobody else has without a copy. */
#include "adopt.h"

#include "../../core/value/buffer.h"
#include "memory.h"
#include "values.h"

#include <stdlib.h>
#include <string.h>

/* Below this a copy is cheaper than an external buffer and its finalizer. */
#define EXTERNAL_MIN (64 * 1024)

/* A buffer of C's whose memory JavaScript has got. */
typedef struct {
  fibril__memory memory;
  fibril_value kept; /* owned */
  bool *dropped;     /* told while it is made: Node may give it back, and fail */
} adopted_memory;

static void destroy_adopted(fibril__memory *memory) {
  adopted_memory *adopted = FIBRIL__CONTAINER(adopted_memory, memory, memory);
  fibril_value_free(adopted->kept);
  free(adopted);
}

/* Node runs it on the thread that made it, when nothing has the memory any more, wherever it was
 * transferred; or when the environment ends, and then something may have it still. So only the main
 * thread gives memory: no other one is left when that ends. */
static void drop_memory(napi_env env, void *data, void *hint) {
  adopted_memory *adopted = FIBRIL__CONTAINER(adopted_memory, memory, (fibril__memory *)hint);
  (void)env;
  (void)data;
  if (adopted->dropped != NULL) *adopted->dropped = true;
  fibril__memory_unref(&adopted->memory);
}

/* A Buffer over C's memory; NULL: Node does not allow that, or there is no memory. */
static napi_value adopt(fibril__env *self, fibril_value value) {
  size_t length;
  void *data = fibril_value_buffer(value, &length);
  napi_value result;
  bool dropped = false;
  adopted_memory *adopted = calloc(1, sizeof *adopted);
  if (adopted == NULL) return NULL;
  adopted->kept = fibril_value_dup(value);
  adopted->dropped = &dropped;
  fibril__memory_init(&adopted->memory, fibril__values_of(self)->bytes.memories, data, length,
                      destroy_adopted);
  napi_status status =
      napi_create_external_buffer(self->env, length, data, drop_memory, &adopted->memory, &result);
  if (dropped) return NULL;
  adopted->dropped = NULL;
  if (status == napi_ok) return result;
  /* A generic failure is that of the view, behind the ArrayBuffer: that gives it back. */
  if (status != napi_generic_failure) fibril__memory_unref(&adopted->memory);
  return NULL;
}

/* The ArrayBuffer of a Buffer that is all of it. */
static napi_value buffer_of(fibril__env *self, napi_value whole) {
  napi_value buffer;
  return napi_get_typedarray_info(self->env, whole, NULL, NULL, NULL, &buffer, NULL) == napi_ok
             ? buffer
             : NULL;
}

static napi_value copy_to_js(fibril__env *self, fibril_value value, bool whole) {
  size_t length;
  void *data = fibril_value_buffer(value, &length), *copy;
  napi_value result;
  if (whole)
    return napi_create_buffer_copy(self->env, length, data, NULL, &result) == napi_ok ? result
                                                                                      : NULL;
  if (napi_create_arraybuffer(self->env, length, &copy, &result) != napi_ok) return NULL;
  if (length > 0) memcpy(copy, data, length);
  return result;
}

static napi_value view_to_js(fibril__env *self, fibril_view view, napi_value buffer,
                             size_t length) {
  napi_value result = NULL;
  switch (view) {
    case FIBRIL_VIEW_ARRAYBUFFER: return buffer;
    case FIBRIL_VIEW_DATAVIEW:
      napi_create_dataview(self->env, length, buffer, 0, &result);
      return result;
    case FIBRIL_VIEW_FLOAT16_ARRAY:
      return fibril__env_ask(self, FIBRIL__JS_FLOAT16_ARRAY, 1, &buffer);
    default:
      napi_create_typedarray(self->env, (napi_typedarray_type)(view - FIBRIL_VIEW_INT8_ARRAY),
                             length / fibril_view_size(view), buffer, 0, &result);
      return result;
  }
}

napi_value fibril__bytes_to_js(fibril__env *self, fibril_value value) {
  size_t length;
  fibril_view view = fibril_value_view(value);
  napi_value buffer = NULL;
  fibril_value_buffer(value, &length);
  if (length >= EXTERNAL_MIN && fibril__values_of(self)->bytes.adopts &&
      fibril__buffer_is_sole(value)) {
    buffer = adopt(self, value);
    if (buffer != NULL && view != FIBRIL_VIEW_BUFFER) buffer = buffer_of(self, buffer);
  }
  if (buffer == NULL) buffer = copy_to_js(self, value, view == FIBRIL_VIEW_BUFFER);
  if (buffer == NULL || view == FIBRIL_VIEW_BUFFER) return buffer;
  return view_to_js(self, view, buffer, length);
}

/* ---- What JavaScript asks for ---- */

/* bytes(length): a Buffer of zeros that is lent to C; undefined where it can have none of C's
 * memory.
 */
static napi_value native_bytes(napi_env env, napi_callback_info info) {
  napi_value argv[1], result = NULL;
  size_t argc = 1;
  int64_t length = 0;
  void *self;
  if (napi_get_cb_info(env, info, &argc, argv, NULL, &self) != napi_ok ||
      napi_get_value_int64(env, argv[0], &length) != napi_ok)
    return NULL;
  if (length == 0 || !fibril__values_of(self)->bytes.adopts) return NULL;
  void *data = calloc(1, (size_t)length);
  if (data == NULL) {
    napi_throw_range_error(env, NULL, "Array buffer allocation failed");
    return NULL;
  }
  fibril_value value = fibril_value_take(fibril_buffer_take(data, (size_t)length, free));
  if (fibril__is_error(value)) {
    fibril__throw_failure(env);
    return NULL;
  }
  result = adopt(self, value);
  fibril_value_free(value);
  return result;
}

/* memories(known, adopts): the table of all copies, which the first one makes; whether JavaScript
 * may get C's memory. */
static napi_value native_memories(napi_env env, napi_callback_info info) {
  napi_value argv[2], result = NULL;
  size_t argc = 2;
  void *data, *known = NULL;
  if (napi_get_cb_info(env, info, &argc, argv, NULL, &data) != napi_ok) return NULL;
  napi_get_value_bool(env, argv[1], &fibril__values_of(data)->bytes.adopts);
  fibril__memories **memories = &fibril__values_of(data)->bytes.memories;
  if (napi_get_value_external(env, argv[0], &known) == napi_ok) {
    *memories = known;
    (*memories)->refs++;
    return argv[0];
  }
  *memories = fibril__memories_new();
  if (*memories != NULL && napi_create_external(env, *memories, NULL, NULL, &result) == napi_ok)
    return result;
  fibril__memories_unref(*memories);
  *memories = NULL;
  fibril__throw_failure(env);
  return NULL;
}

bool fibril__adopt_native(fibril__env *self, napi_value native) {
  napi_property_descriptor functions[] = {
      {"bytes", NULL, native_bytes, NULL, NULL, NULL, napi_default, self},
      {"memories", NULL, native_memories, NULL, NULL, NULL, napi_default, self},
  };
  return napi_define_properties(self->env, native, sizeof functions / sizeof functions[0],
                                functions) == napi_ok;
}

void fibril__adopt_end(fibril__env *self) {
  fibril__values *values = fibril__values_of(self);
  fibril__memories_unref(values->bytes.memories);
  values->bytes.memories = NULL;
}
