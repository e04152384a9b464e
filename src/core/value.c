/* Values: scalars, and reference-counted boxes on the heap. See value.h. */
#include "core.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  fibril__box box;
  size_t length;
  char data[];
} string_box;

typedef struct {
  fibril__box box;
  size_t length;
  void *data;
  void (*release)(void *data);
} buffer_box;

static void box_unref(fibril__box *box) {
  if (--box->refs == 0) box->destroy(box);
}

static void arena_unlink(fibril__box *box) {
  *box->link = box->next;
  if (box->next != NULL) box->next->link = box->link;
  box->link = NULL;
}

static void arena_link(fibril_coroutine *self, fibril__box *box) {
  box->next = self->arena;
  box->link = &self->arena;
  if (box->next != NULL) box->next->link = &box->next;
  self->arena = box;
  self->encumbered = true;
}

static void destroy_plain(fibril__box *box) {
  free(box);
}

fibril_value fibril__value_of(fibril_kind kind, fibril__box *box,
                              void (*destroy)(fibril__box *box)) {
  fibril_coroutine *self = fibril__self();
  fibril_value value = {(uint64_t)kind | FIBRIL__BOXED, {.pointer = box}};
  box->refs = 1;
  box->destroy = destroy;
  box->link = NULL;
  if (self != NULL)
    arena_link(self, box);
  else
    value.tag |= FIBRIL__OWNED;
  return value;
}

fibril_value fibril_value_take(fibril_value value) {
  if (!(value.tag & FIBRIL__BOXED) || value.tag & FIBRIL__OWNED) return value;
  fibril__box *box = fibril__value_box(value);
  if (box->link != NULL)
    arena_unlink(box);
  else
    box->refs++;
  value.tag |= FIBRIL__OWNED;
  return value;
}

fibril_value fibril__value_keep(fibril_value value) {
  fibril_coroutine *self = fibril__self();
  if (self == NULL || !(value.tag & FIBRIL__OWNED)) return value;
  arena_link(self, fibril__value_box(value));
  return fibril__value_borrow(value);
}

void fibril__arena_release(fibril__box **arena) {
  while (*arena != NULL) {
    fibril__box *box = *arena;
    arena_unlink(box);
    box_unref(box);
  }
}

fibril_value fibril_value_dup(fibril_value value) {
  if (value.tag & FIBRIL__BOXED) {
    ((fibril__box *)fibril__value_box(value))->refs++;
    value.tag |= FIBRIL__OWNED;
  }
  return value;
}

void fibril_value_free(fibril_value value) {
  if (value.tag & FIBRIL__OWNED) box_unref(fibril__value_box(value));
}

/* ---- Scalars ---- */

fibril_kind fibril_value_kind(fibril_value value) {
  return (fibril_kind)(value.tag & FIBRIL__KIND);
}

bool fibril_is_error(fibril_value value) {
  return fibril__is_error(value);
}

bool fibril_value_boolean(fibril_value value) {
  return fibril_value_kind(value) == FIBRIL_BOOLEAN && value.as.integer != 0;
}

double fibril_value_number(fibril_value value) {
  if (fibril_value_kind(value) == FIBRIL_NUMBER) return value.as.number;
  return fibril_value_kind(value) == FIBRIL_BIGINT ? (double)value.as.integer : NAN;
}

int64_t fibril_value_integer(fibril_value value) {
  if (fibril_value_kind(value) == FIBRIL_BIGINT) return value.as.integer;
  if (fibril_value_kind(value) != FIBRIL_NUMBER || isnan(value.as.number)) return 0;
  if (value.as.number >= 9223372036854775808.0) return INT64_MAX;
  return value.as.number < -9223372036854775808.0 ? INT64_MIN : (int64_t)value.as.number;
}

void *fibril_value_pointer(fibril_value value) {
  return fibril_value_kind(value) == FIBRIL_POINTER ? value.as.pointer : NULL;
}

/* ---- Strings and buffers ---- */

fibril_value fibril_string(const char *utf8, size_t length) {
  if (length == FIBRIL_AUTO_LENGTH) length = strlen(utf8);
  string_box *box = length < SIZE_MAX - sizeof *box ? malloc(sizeof *box + length + 1) : NULL;
  if (box == NULL) return fibril__error_code(UV_ENOMEM);
  box->length = length;
  if (length > 0) memcpy(box->data, utf8, length);
  box->data[length] = '\0';
  return fibril__value_of(FIBRIL_STRING, &box->box, destroy_plain);
}

const char *fibril_value_string(fibril_value value, size_t *length) {
  if (fibril_value_kind(value) != FIBRIL_STRING) return NULL;
  string_box *box = fibril__value_box(value);
  if (length != NULL) *length = box->length;
  return box->data;
}

static void destroy_buffer(fibril__box *box) {
  buffer_box *buffer = (buffer_box *)box;
  if (buffer->release != NULL) buffer->release(buffer->data);
  free(buffer);
}

fibril_value fibril_buffer_take(void *data, size_t length, void (*release)(void *data)) {
  buffer_box *box = malloc(sizeof *box);
  if (box == NULL) {
    if (release != NULL) release(data);
    return fibril__error_code(UV_ENOMEM);
  }
  box->length = length;
  box->data = data;
  box->release = release;
  return fibril__value_of(FIBRIL_BUFFER, &box->box, destroy_buffer);
}

fibril_value fibril_buffer(const void *data, size_t length) {
  void *copy = malloc(length > 0 ? length : 1);
  if (copy == NULL) return fibril__error_code(UV_ENOMEM);
  if (length > 0) memcpy(copy, data, length);
  return fibril_buffer_take(copy, length, free);
}

void *fibril_value_buffer(fibril_value value, size_t *length) {
  if (fibril_value_kind(value) != FIBRIL_BUFFER) return NULL;
  buffer_box *box = fibril__value_box(value);
  if (length != NULL) *length = box->length;
  return box->data;
}

/* ---- Arrays and objects ---- */

static void destroy_array(fibril__box *box) {
  fibril__list *list = (fibril__list *)box;
  for (size_t i = 0; i < list->length; i++) fibril_value_free(list->as.items[i]);
  free(list->as.items);
  free(list);
}

static void destroy_object(fibril__box *box) {
  fibril__list *list = (fibril__list *)box;
  for (size_t i = 0; i < list->length; i++) {
    free(list->as.pairs[i].key);
    fibril_value_free(list->as.pairs[i].value);
  }
  free(list->as.pairs);
  free(list);
}

/* Room for one more element of `size` bytes. */
static bool list_grow(fibril__list *list, size_t size) {
  if (list->length < list->capacity) return true;
  size_t capacity = list->capacity < 4 ? 4 : list->capacity * 2;
  void *items = capacity < SIZE_MAX / size ? realloc(list->as.items, capacity * size) : NULL;
  if (items == NULL) return false;
  list->as.items = items;
  list->capacity = capacity;
  return true;
}

static fibril_value list_new(fibril_kind kind, void (*destroy)(fibril__box *box)) {
  fibril__list *list = calloc(1, sizeof *list);
  if (list == NULL) return fibril__error_code(UV_ENOMEM);
  return fibril__value_of(kind, &list->box, destroy);
}

fibril_value fibril_array(size_t capacity) {
  fibril_value array = list_new(FIBRIL_ARRAY, destroy_array);
  if (capacity == 0 || fibril__is_error(array)) return array;
  fibril__list *list = fibril__value_box(array);
  list->as.items = capacity < SIZE_MAX / sizeof *list->as.items
                       ? malloc(capacity * sizeof *list->as.items)
                       : NULL;
  if (list->as.items == NULL) {
    fibril_value_free(fibril_value_take(array));
    return fibril__error_code(UV_ENOMEM);
  }
  list->capacity = capacity;
  return array;
}

int fibril_array_push(fibril_value array, fibril_value item) {
  item = fibril_value_take(item);
  int err = fibril_value_kind(array) == FIBRIL_ARRAY ? 0 : FIBRIL_ETYPE;
  fibril__list *list = fibril__value_box(array);
  if (err == 0 && !list_grow(list, sizeof *list->as.items)) err = UV_ENOMEM;
  if (err == 0)
    list->as.items[list->length++] = item;
  else
    fibril_value_free(item);
  return err;
}

size_t fibril_array_length(fibril_value array) {
  return fibril_value_kind(array) == FIBRIL_ARRAY
             ? ((fibril__list *)fibril__value_box(array))->length
             : 0;
}

fibril_value fibril_array_get(fibril_value array, size_t index) {
  if (index >= fibril_array_length(array)) return fibril_undefined();
  return fibril__value_borrow(((fibril__list *)fibril__value_box(array))->as.items[index]);
}

fibril_value fibril_object(void) {
  return list_new(FIBRIL_OBJECT, destroy_object);
}

static fibril__pair *object_find(fibril__list *list, const char *key, size_t length) {
  for (size_t i = 0; i < list->length; i++)
    if (strncmp(list->as.pairs[i].key, key, length) == 0 && list->as.pairs[i].key[length] == '\0')
      return &list->as.pairs[i];
  return NULL;
}

int fibril__object_set(fibril_value object, const char *key, size_t length, fibril_value item) {
  item = fibril_value_take(item);
  if (fibril_value_kind(object) != FIBRIL_OBJECT) {
    fibril_value_free(item);
    return FIBRIL_ETYPE;
  }
  fibril__list *list = fibril__value_box(object);
  fibril__pair *pair = object_find(list, key, length);
  if (pair != NULL) {
    fibril_value_free(pair->value);
    pair->value = item;
    return 0;
  }
  char *copy = list_grow(list, sizeof *list->as.pairs) ? strndup(key, length) : NULL;
  if (copy == NULL) {
    fibril_value_free(item);
    return UV_ENOMEM;
  }
  list->as.pairs[list->length++] = (fibril__pair){copy, item};
  return 0;
}

int fibril_object_set(fibril_value object, const char *key, fibril_value item) {
  return fibril__object_set(object, key, strlen(key), item);
}

fibril_value fibril_object_get(fibril_value object, const char *key) {
  if (fibril_value_kind(object) != FIBRIL_OBJECT) return fibril_undefined();
  fibril__pair *pair = object_find(fibril__value_box(object), key, strlen(key));
  return pair == NULL ? fibril_undefined() : fibril__value_borrow(pair->value);
}
