/* The shapes of objects that are made in C. What comes in numbers, rows and entries, has the same
 * keys each time: then a function of JavaScript makes the whole object, which takes V8 less time
 * than one property takes Node-API. */
#include "shapes.h"

#include "../../core/value/array.h"
#include "values.h"

#include <stdlib.h>
#include <string.h>

/* A larger object is a table rather than a record; a record's values are arguments. */
#define KEYS_MAX 128
/* Making a function takes as long as setting several hundred properties. */
#define OFTEN 64
#define SEEN_MAX 128
/* So many shapes have a place: each in one of the `WAYS` of its set. */
#define SETS 32
#define WAYS 4
/* Of so many objects without a place one costs the rarest shape of its set some of its lead: when
 * there are more shapes than places, some keep theirs, and none keeps it for ever. */
#define PATIENCE 8

/* Objects with the same keys in the same order. */
typedef struct fibril__shape {
  uint64_t hash;
  uint32_t seen; /* 0: the place is free */
  uint32_t count;
  char **keys;   /* only with a function */
  napi_ref make; /* the function that takes their values */
} fibril__shape;

struct fibril__shapes {
  fibril__shape *last;
  unsigned misses;
  fibril__shape places[SETS * WAYS];
};

/* ---- Shapes ---- */

static bool has_keys(const fibril__shape *shape, const fibril__list *list) {
  if (shape->count != list->length) return false;
  for (size_t i = 0; i < list->length; i++)
    if (strcmp(shape->keys[i], list->as.pairs[i].key) != 0) return false;
  return true;
}

/* FNV-1a, over the keys' hashes. */
static uint64_t hash_keys(const fibril__list *list) {
  uint64_t hash = 14695981039346656037u;
  for (size_t i = 0; i < list->length; i++) hash = (hash ^ list->as.pairs[i].hash) * 1099511628211u;
  return hash;
}

static void forget_shape(fibril__env *self, fibril__shape *shape) {
  fibril__drop_reference(self->env, shape->make);
  free(shape->keys);
  *shape = (fibril__shape){0};
}

/* NULL: those that share its set have been seen more often. */
static fibril__shape *shape_place(fibril__env *self, const fibril__list *list) {
  uint64_t hash = hash_keys(list);
  struct fibril__shapes *shapes = fibril__values_of(self)->shapes;
  fibril__shape *set = &shapes->places[(hash >> 32) % SETS * WAYS], *rarest = set;
  for (fibril__shape *shape = set; shape < set + WAYS; shape++) {
    if (shape->seen > 0 && shape->hash == hash && (shape->make == NULL || has_keys(shape, list)))
      return shape;
    if (shape->seen < rarest->seen) rarest = shape;
  }
  if (rarest->seen > 0 && (shapes->misses++ % PATIENCE > 0 || --rarest->seen > 0)) return NULL;
  if (shapes->last == rarest) shapes->last = NULL;
  forget_shape(self, rarest);
  rarest->hash = hash;
  return rarest;
}

/* The keys and the text that they point to, in one block. */
static char **copy_keys(const fibril__list *list) {
  size_t size = list->length * sizeof(char *);
  for (size_t i = 0; i < list->length; i++) size += strlen(list->as.pairs[i].key) + 1;
  char **keys = malloc(size);
  if (keys == NULL) return NULL;
  char *text = (char *)(keys + list->length);
  for (size_t i = 0; i < list->length; i++) {
    size_t length = strlen(list->as.pairs[i].key) + 1;
    keys[i] = memcpy(text, list->as.pairs[i].key, length);
    text += length;
  }
  return keys;
}

/* The runtime says what is to be evaluated. That is no code from strings in the sense of V8, which
 * hosts may forbid: it comes from here, as the runtime itself does. */
static bool evaluate_maker(fibril__env *self, const fibril__list *list, napi_ref *make) {
  napi_env env = self->env;
  napi_value keys[KEYS_MAX], source, function;
  for (size_t i = 0; i < list->length; i++)
    if (napi_create_string_utf8(env, list->as.pairs[i].key, NAPI_AUTO_LENGTH, &keys[i]) != napi_ok)
      return false;
  return napi_call_function(env, fibril__env_undefined(self),
                            fibril__env_function(self, FIBRIL__JS_OBJECT_MAKER), list->length, keys,
                            &source) == napi_ok &&
         napi_run_script(env, source, &function) == napi_ok &&
         napi_create_reference(env, function, 1, make) == napi_ok;
}

/* On failure objects are made without one until as many have been seen again. */
static void make_maker(fibril__env *self, fibril__shape *shape, const fibril__list *list) {
  napi_handle_scope scope;
  char **keys = copy_keys(list);
  if (keys == NULL || napi_open_handle_scope(self->env, &scope) != napi_ok) {
    free(keys);
    shape->seen = 1;
    return;
  }
  if (evaluate_maker(self, list, &shape->make)) {
    shape->keys = keys;
    shape->count = (uint32_t)list->length;
  } else {
    free(keys);
    shape->seen = 1;
    fibril__env_take_exception(self);
  }
  napi_close_handle_scope(self->env, scope);
}

static struct fibril__shapes *shapes_of(fibril__env *self) {
  fibril__values *values = fibril__values_of(self);
  if (values->shapes == NULL) values->shapes = calloc(1, sizeof *values->shapes);
  return values->shapes;
}

napi_value fibril__object_maker(fibril__env *self, fibril_value object) {
  const fibril__list *list = fibril__value_box(object);
  napi_value function = NULL;
  if (list->length == 0 || list->length > KEYS_MAX) return NULL;
  struct fibril__shapes *shapes = shapes_of(self);
  if (shapes == NULL) return NULL;
  fibril__shape *shape = shapes->last;
  if (shape == NULL || !has_keys(shape, list)) shape = shape_place(self, list);
  if (shape == NULL) return NULL;
  if (shape->seen < SEEN_MAX) shape->seen++;
  if (shape->make == NULL && shape->seen >= OFTEN) make_maker(self, shape, list);
  if (shape->make == NULL) return NULL;
  shapes->last = shape;
  napi_get_reference_value(self->env, shape->make, &function);
  return function;
}

void fibril__shapes_free(fibril__env *self) {
  fibril__values *values = fibril__values_of(self);
  if (values->shapes == NULL) return;
  for (size_t i = 0; i < SETS * WAYS; i++) forget_shape(self, &values->shapes->places[i]);
  free(values->shapes);
  values->shapes = NULL;
}
