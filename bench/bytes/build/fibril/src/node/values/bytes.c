/* Bytes of JavaScript's. Lent is what stays where it is whatever JavaScript does meanwhile: shared
 * memory that nobody can detach, and memory of fibril's own, which is counted. */
#include "bytes.h"

#include "../../core/value/buffer.h"
#include "../../core/value/list.h"
#include "../signatures/type.h"
#include "memory.h"
#include "references.h"
#include "values.h"

#include <stdlib.h>

/* napi_float16_array: Node-APIs that do not know it say nothing of such a one, and there is no
 * other that they do not know. */
#define FLOAT16_ARRAY 11

/* ---- What they are ---- */

static void look_at_buffer(napi_env env, fibril__bytes *bytes) {
  bool is = false;
  napi_is_arraybuffer(env, bytes->buffer, &is);
  bytes->shared = !is;
  if (is) napi_is_detached_arraybuffer(env, bytes->buffer, &bytes->detached);
}

uint32_t fibril__bytes_look(fibril__env *self, napi_value value, fibril__bytes *bytes) {
  napi_env env = self->env;
  int type = FLOAT16_ARRAY;
  bool is = false;
  void *data = NULL;
  uint32_t bit;
  *bytes = (fibril__bytes){.value = value, .buffer = value};
  if (napi_is_typedarray(env, value, &is) == napi_ok && is) {
    napi_typedarray_type known = (napi_typedarray_type)FLOAT16_ARRAY;
    napi_get_typedarray_info(env, value, &known, &bytes->length, &data, &bytes->buffer,
                             &bytes->offset);
    type = (int)known;
    bytes->view = type == napi_uint8_array ? FIBRIL_VIEW_BUFFER
                                           : (fibril_view)(FIBRIL_VIEW_INT8_ARRAY + type);
    bytes->length *= fibril_view_size(bytes->view);
    bit = 1u << type | (type == napi_uint8_array ? FIBRIL__VIEW_BUFFER : 0);
  } else if (napi_is_dataview(env, value, &is) == napi_ok && is) {
    napi_get_dataview_info(env, value, &bytes->length, &data, &bytes->buffer, &bytes->offset);
    bytes->view = FIBRIL_VIEW_DATAVIEW;
    bit = FIBRIL__VIEW_DATAVIEW;
  } else if (napi_is_arraybuffer(env, value, &is) == napi_ok && is) {
    napi_get_arraybuffer_info(env, value, &data, &bytes->length);
    bytes->view = FIBRIL_VIEW_ARRAYBUFFER;
    bit = FIBRIL__VIEW_ARRAYBUFFER;
  } else {
    return 0;
  }
  bytes->data = data;
  look_at_buffer(env, bytes);
  return bit;
}

/* ---- Lending ---- */

typedef struct fibril__lent lent_buffer;
struct fibril__lent {
  fibril__buffer buffer;
  fibril__memory *memory;    /* counted; NULL: it is JavaScript's, which `holder` keeps */
  fibril_value holder;       /* owned */
  lent_buffer *next, **link; /* of the environment's, of JavaScript's memory */
};

static void destroy_lent(fibril__box *box, fibril__box **dead) {
  lent_buffer *lent = FIBRIL__CONTAINER(lent_buffer, buffer.box, box);
  if (lent->link != NULL) FIBRIL__CHAIN_REMOVE(lent);
  if (lent->memory != NULL) fibril__memory_unref(lent->memory);
  fibril__value_drop(lent->holder, dead);
  fibril__buffer_end(&lent->buffer);
  free(lent);
}

static fibril_value lend(lent_buffer *lent, const fibril__bytes *bytes) {
  return fibril_value_take(
      fibril__buffer_lend(&lent->buffer, bytes->data, bytes->length, bytes->view, destroy_lent));
}

static fibril_value lend_memory(fibril__memory *memory, const fibril__bytes *bytes) {
  lent_buffer *lent = calloc(1, sizeof *lent);
  if (lent == NULL) return fibril__error_code(UV_ENOMEM);
  lent->memory = memory;
  fibril__memory_ref(memory);
  return lend(lent, bytes);
}

/* One that may grow is copied, as what may shrink is: its length is not what it was. An object that
 * says of itself that it can't loses nothing by it: memory stays while it grows. */
static fibril_value lend_shared(fibril__env *self, const fibril__bytes *bytes) {
  napi_value growable;
  bool grows = false;
  if (napi_get_named_property(self->env, bytes->buffer, "growable", &growable) != napi_ok)
    return fibril__take_failure(self);
  if (napi_get_value_bool(self->env, growable, &grows) == napi_ok && grows)
    return fibril_undefined();
  lent_buffer *lent = calloc(1, sizeof *lent);
  if (lent == NULL) return fibril__error_code(UV_ENOMEM);
  lent->holder = fibril_value_take(fibril__reference_new(self, bytes->buffer));
  if (fibril__is_error(lent->holder)) {
    fibril_value failure = lent->holder;
    free(lent);
    return failure;
  }
  FIBRIL__CHAIN_ADD(&fibril__values_of(self)->bytes.lent, lent);
  return lend(lent, bytes);
}

fibril_value fibril__bytes_lend(fibril__env *self, const fibril__bytes *bytes) {
  if (bytes->length == 0 || (uintptr_t)bytes->data % fibril_view_size(bytes->view) != 0)
    return fibril_undefined();
  if (bytes->shared) return lend_shared(self, bytes);
  fibril__memory *memory =
      fibril__memory_find(fibril__values_of(self)->bytes.memories, bytes->data - bytes->offset);
  if (memory == NULL || bytes->offset > memory->length ||
      bytes->length > memory->length - bytes->offset)
    return fibril_undefined();
  return lend_memory(memory, bytes);
}

fibril_value fibril__bytes_copy(const fibril__bytes *bytes) {
  return fibril_value_take(fibril__buffer_copy(bytes->data, bytes->length, bytes->view));
}

fibril_value fibril__bytes_room(const fibril__bytes *bytes) {
  return fibril_value_take(fibril__buffer_room(bytes->length, bytes->view));
}

fibril_value fibril__bytes_from_js(fibril__env *self, const fibril__bytes *bytes) {
  fibril_value lent = fibril__bytes_lend(self, bytes);
  return fibril_value_kind(lent) == FIBRIL_UNDEFINED ? fibril__bytes_copy(bytes) : lent;
}

/* ---- The environment's part ---- */

void fibril__bytes_end(fibril__env *self) {
  fibril__values *values = fibril__values_of(self);
  while (values->bytes.lent != NULL) {
    lent_buffer *lent = values->bytes.lent;
    FIBRIL__CHAIN_REMOVE(lent);
    lent->link = NULL;
    fibril__buffer_part(&lent->buffer);
  }
}
