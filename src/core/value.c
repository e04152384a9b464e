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

/* ---- Arrays ---- */

static void destroy_array(fibril__box *box) {
  fibril__list *list = (fibril__list *)box;
  for (size_t i = 0; i < list->length; i++) fibril_value_free(list->as.items[i]);
  free(list->as.items);
  free(list);
}

static bool array_grow(fibril__list *list) {
  if (list->length < list->capacity) return true;
  size_t capacity = list->capacity < 4 ? 4 : list->capacity * 2;
  fibril_value *items = capacity < SIZE_MAX / sizeof *items
                            ? realloc(list->as.items, capacity * sizeof *items)
                            : NULL;
  if (items == NULL) return false;
  list->as.items = items;
  list->capacity = capacity;
  return true;
}

fibril_value fibril_array(size_t capacity) {
  fibril__list *list = calloc(1, sizeof *list);
  if (list == NULL) return fibril__error_code(UV_ENOMEM);
  fibril_value array = fibril__value_of(FIBRIL_ARRAY, &list->box, destroy_array);
  if (capacity == 0) return array;
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
  if (err == 0 && !array_grow(list)) err = UV_ENOMEM;
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

/* ---- Objects ---- */

#define KEY_BLOCK 256

/* Keys, one after the other. */
typedef struct key_block {
  struct key_block *next;
  char text[];
} key_block;

/* A small one is all in one piece. */
typedef struct {
  fibril__list list;
  key_block *blocks;
  char *text; /* here is room for keys */
  size_t room;
  fibril__pair first[4];
  char keys[48];
} object_box;

static void destroy_object(fibril__box *box) {
  object_box *object = (object_box *)box;
  for (size_t i = 0; i < object->list.length; i++)
    fibril_value_free(object->list.as.pairs[i].value);
  if (object->list.as.pairs != object->first) free(object->list.as.pairs);
  for (key_block *next; object->blocks != NULL; object->blocks = next) {
    next = object->blocks->next;
    free(object->blocks);
  }
  free(object);
}

fibril_value fibril_object(void) {
  object_box *object = malloc(sizeof *object);
  if (object == NULL) return fibril__error_code(UV_ENOMEM);
  object->list.length = 0;
  object->list.capacity = sizeof object->first / sizeof object->first[0];
  object->list.as.pairs = object->first;
  object->blocks = NULL;
  object->text = object->keys;
  object->room = sizeof object->keys;
  return fibril__value_of(FIBRIL_OBJECT, &object->list.box, destroy_object);
}

static bool object_grow(object_box *object) {
  fibril__list *list = &object->list;
  size_t capacity = list->capacity * 2;
  if (list->length < list->capacity) return true;
  if (capacity >= SIZE_MAX / sizeof(fibril__pair)) return false;
  bool is_first = list->as.pairs == object->first;
  fibril__pair *pairs = realloc(is_first ? NULL : list->as.pairs, capacity * sizeof(fibril__pair));
  if (pairs == NULL) return false;
  if (is_first) memcpy(pairs, object->first, sizeof object->first);
  list->as.pairs = pairs;
  list->capacity = capacity;
  return true;
}

static const char *copy_key(object_box *object, const char *key, size_t length) {
  if (object->room <= length) {
    size_t size = length < KEY_BLOCK ? KEY_BLOCK : length + 1;
    key_block *block = size < SIZE_MAX - sizeof *block ? malloc(sizeof *block + size) : NULL;
    if (block == NULL) return NULL;
    block->next = object->blocks;
    object->blocks = block;
    object->text = block->text;
    object->room = size;
  }
  char *copy = memcpy(object->text, key, length);
  copy[length] = '\0';
  object->text += length + 1;
  object->room -= length + 1;
  return copy;
}

static inline uint64_t mix(uint64_t hash, uint64_t word) {
  hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
  return hash ^ hash >> 32;
}

static uint64_t hash_key(const char *key, size_t length) {
  uint64_t hash = length, word = 0;
  for (; length > sizeof word; key += sizeof word, length -= sizeof word) {
    memcpy(&word, key, sizeof word);
    hash = mix(hash, word);
  }
  word = 0;
  for (size_t i = 0; i < length; i++) word = word << 8 | (unsigned char)key[i];
  return mix(hash, word);
}

static fibril__pair *object_find(fibril__list *list, const char *key, size_t length,
                                 uint64_t hash) {
  for (fibril__pair *pair = list->as.pairs; pair < list->as.pairs + list->length; pair++)
    if (pair->hash == hash && strncmp(pair->key, key, length) == 0 && pair->key[length] == '\0')
      return pair;
  return NULL;
}

int fibril__object_set(fibril_value object, const char *key, size_t length, fibril_value item) {
  item = fibril_value_take(item);
  if (fibril_value_kind(object) != FIBRIL_OBJECT) {
    fibril_value_free(item);
    return FIBRIL_ETYPE;
  }
  object_box *box = fibril__value_box(object);
  fibril__list *list = &box->list;
  uint64_t hash = hash_key(key, length);
  fibril__pair *pair = object_find(list, key, length, hash);
  if (pair != NULL) {
    fibril_value_free(pair->value);
    pair->value = item;
    return 0;
  }
  const char *copy = object_grow(box) ? copy_key(box, key, length) : NULL;
  if (copy == NULL) {
    fibril_value_free(item);
    return UV_ENOMEM;
  }
  list->as.pairs[list->length++] = (fibril__pair){copy, hash, item};
  return 0;
}

int fibril_object_set(fibril_value object, const char *key, fibril_value item) {
  return fibril__object_set(object, key, strlen(key), item);
}

fibril_value fibril_object_get(fibril_value object, const char *key) {
  if (fibril_value_kind(object) != FIBRIL_OBJECT) return fibril_undefined();
  size_t length = strlen(key);
  fibril__pair *pair = object_find(fibril__value_box(object), key, length, hash_key(key, length));
  return pair == NULL ? fibril_undefined() : fibril__value_borrow(pair->value);
}
