/* fibril_value's buffers. */
#include "buffer.h"

#include <stdlib.h>
#include <string.h>

static fibril__buffer *buffer_of(fibril_value value) {
  return fibril_value_kind(value) == FIBRIL_BUFFER ? fibril__value_box(value) : NULL;
}

/* ---- Views ---- */

size_t fibril_view_size(fibril_view view) {
  switch (view) {
    case FIBRIL_VIEW_BUFFER:
    case FIBRIL_VIEW_ARRAYBUFFER:
    case FIBRIL_VIEW_DATAVIEW:
    case FIBRIL_VIEW_INT8_ARRAY:
    case FIBRIL_VIEW_UINT8_ARRAY:
    case FIBRIL_VIEW_UINT8_CLAMPED_ARRAY: return 1;
    case FIBRIL_VIEW_INT16_ARRAY:
    case FIBRIL_VIEW_UINT16_ARRAY:
    case FIBRIL_VIEW_FLOAT16_ARRAY: return 2;
    case FIBRIL_VIEW_INT32_ARRAY:
    case FIBRIL_VIEW_UINT32_ARRAY:
    case FIBRIL_VIEW_FLOAT32_ARRAY: return 4;
    case FIBRIL_VIEW_FLOAT64_ARRAY:
    case FIBRIL_VIEW_BIGINT64_ARRAY:
    case FIBRIL_VIEW_BIGUINT64_ARRAY: return 8;
  }
  return 0;
}

fibril_view fibril_value_view(fibril_value value) {
  const fibril__buffer *buffer = buffer_of(value);
  return buffer == NULL ? FIBRIL_VIEW_BUFFER : buffer->view;
}

bool fibril_value_is_shared(fibril_value value) {
  const fibril__buffer *buffer = buffer_of(value);
  return buffer != NULL && buffer->shared;
}

int fibril_buffer_set_view(fibril_value buffer, fibril_view view) {
  fibril__buffer *self = buffer_of(buffer);
  size_t size = fibril_view_size(view);
  if (self == NULL) return FIBRIL_ETYPE;
  if (size == 0 || self->length % size != 0 || (uintptr_t)self->data % size != 0) return UV_EINVAL;
  self->view = view;
  return 0;
}

/* ---- Making them ---- */

static void destroy_buffer(fibril__box *box, fibril__box **dead) {
  fibril__buffer *buffer = FIBRIL__CONTAINER(fibril__buffer, box, box);
  (void)dead;
  fibril__buffer_end(buffer);
  free(buffer);
}

fibril_value fibril_buffer_take(void *data, size_t length, void (*release)(void *data)) {
  fibril__buffer *buffer = malloc(sizeof *buffer);
  if (buffer == NULL) {
    if (release != NULL) release(data);
    return fibril__error_code(UV_ENOMEM);
  }
  buffer->length = length;
  buffer->data = data;
  buffer->release = release;
  buffer->view = FIBRIL_VIEW_BUFFER;
  buffer->shared = false;
  return fibril__value_of(FIBRIL_BUFFER, &buffer->box, destroy_buffer);
}

/* malloc's memory is aligned for every element. */
fibril_value fibril__buffer_room(size_t length, fibril_view view) {
  void *data = malloc(length > 0 ? length : 1);
  if (data == NULL) return fibril__error_code(UV_ENOMEM);
  fibril_value value = fibril_buffer_take(data, length, free);
  fibril__buffer *buffer = buffer_of(value);
  if (buffer != NULL) buffer->view = view;
  return value;
}

fibril_value fibril__buffer_copy(const void *data, size_t length, fibril_view view) {
  fibril_value value = fibril__buffer_room(length, view);
  const fibril__buffer *buffer = buffer_of(value);
  if (buffer != NULL && length > 0) memcpy(buffer->data, data, length);
  return value;
}

fibril_value fibril_buffer(const void *data, size_t length) {
  return fibril__buffer_copy(data, length, FIBRIL_VIEW_BUFFER);
}

fibril_value fibril_typed_array(fibril_view view, const void *data, size_t count) {
  size_t size = fibril_view_size(view);
  if (size == 0) return fibril__error_code(UV_EINVAL);
  if (count > SIZE_MAX / size) return fibril__error_code(UV_ENOMEM);
  return fibril__buffer_copy(data, count * size, view);
}

/* ---- Bytes that JavaScript has, too ---- */

fibril_value fibril__buffer_lend(fibril__buffer *buffer, void *data, size_t length,
                                 fibril_view view,
                                 void (*destroy)(fibril__box *box, fibril__box **dead)) {
  buffer->length = length;
  buffer->data = data;
  buffer->release = NULL;
  buffer->view = view;
  buffer->shared = true;
  return fibril__value_of(FIBRIL_BUFFER, &buffer->box, destroy);
}

void fibril__buffer_part(fibril__buffer *buffer) {
  void *copy = malloc(buffer->length > 0 ? buffer->length : 1);
  if (copy == NULL)
    buffer->length = 0;
  else
    memcpy(copy, buffer->data, buffer->length);
  buffer->data = copy;
  buffer->release = free;
  buffer->shared = false;
}

void fibril__buffer_end(fibril__buffer *buffer) {
  if (buffer->release != NULL) buffer->release(buffer->data);
}

bool fibril__buffer_is_sole(fibril_value value) {
  const fibril__buffer *buffer = buffer_of(value);
  return buffer->box.refs == 1 && buffer->box.link == NULL && !buffer->shared;
}

/* ---- Reading ---- */

void *fibril_value_buffer(fibril_value value, size_t *length) {
  const fibril__buffer *buffer = buffer_of(value);
  if (buffer == NULL) return NULL;
  if (length != NULL) *length = buffer->length;
  return buffer->data;
}
