/* Objects made in C become JavaScript's. What comes in numbers, rows and entries, has the same keys
 * each time: then a function of JavaScript makes the whole object, which takes V8 less time than
 * one property takes Node-API. */
#include "node.h"

#include <stdlib.h>
#include <string.h>

/* A larger object is a table rather than a record, and its values are on the stack. */
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

static void forget(fibril__env *self, fibril__shape *shape) {
  fibril__drop_reference(self->env, shape->make);
  free(shape->keys);
  *shape = (fibril__shape){0};
}

/* NULL: those that share its set have been seen more often. */
static fibril__shape *place_of(fibril__env *self, const fibril__list *list) {
  uint64_t hash = hash_keys(list);
  struct fibril__shapes *shapes = self->shapes;
  fibril__shape *set = &shapes->places[(hash >> 32) % SETS * WAYS], *rarest = set;
  for (fibril__shape *shape = set; shape < set + WAYS; shape++) {
    if (shape->seen > 0 && shape->hash == hash && (shape->make == NULL || has_keys(shape, list)))
      return shape;
    if (shape->seen < rarest->seen) rarest = shape;
  }
  if (rarest->seen > 0 && (shapes->misses++ % PATIENCE > 0 || --rarest->seen > 0)) return NULL;
  if (shapes->last == rarest) shapes->last = NULL;
  forget(self, rarest);
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
static bool evaluate(fibril__env *self, const fibril__list *list, napi_ref *make) {
  napi_env env = self->env;
  napi_value keys[KEYS_MAX], undefined, source, function;
  napi_get_undefined(env, &undefined);
  for (size_t i = 0; i < list->length; i++)
    if (napi_create_string_utf8(env, list->as.pairs[i].key, NAPI_AUTO_LENGTH, &keys[i]) != napi_ok)
      return false;
  return napi_call_function(env, undefined, fibril__env_function(self, FIBRIL__JS_OBJECT_MAKER),
                            list->length, keys, &source) == napi_ok &&
         napi_run_script(env, source, &function) == napi_ok &&
         napi_create_reference(env, function, 1, make) == napi_ok;
}

/* On failure objects are made without one until as many have been seen again. */
static void make_function(fibril__env *self, fibril__shape *shape, const fibril__list *list) {
  napi_handle_scope scope;
  napi_value exception;
  bool pending = false;
  char **keys = copy_keys(list);
  if (keys == NULL || napi_open_handle_scope(self->env, &scope) != napi_ok) {
    free(keys);
    shape->seen = 1;
    return;
  }
  if (evaluate(self, list, &shape->make)) {
    shape->keys = keys;
    shape->count = (uint32_t)list->length;
  } else {
    free(keys);
    shape->seen = 1;
    if (napi_is_exception_pending(self->env, &pending) == napi_ok && pending)
      napi_get_and_clear_last_exception(self->env, &exception);
  }
  napi_close_handle_scope(self->env, scope);
}

/* The function that makes such objects, or NULL. */
static napi_value function_for(fibril__env *self, const fibril__list *list) {
  napi_value function = NULL;
  if (list->length == 0 || list->length > KEYS_MAX) return NULL;
  if (self->shapes == NULL) self->shapes = calloc(1, sizeof *self->shapes);
  if (self->shapes == NULL) return NULL;
  fibril__shape *shape = self->shapes->last;
  if (shape == NULL || !has_keys(shape, list)) shape = place_of(self, list);
  if (shape == NULL) return NULL;
  if (shape->seen < SEEN_MAX) shape->seen++;
  if (shape->make == NULL && shape->seen >= OFTEN) make_function(self, shape, list);
  if (shape->make == NULL) return NULL;
  self->shapes->last = shape;
  napi_get_reference_value(self->env, shape->make, &function);
  return function;
}

void fibril__shapes_free(fibril__env *self) {
  if (self->shapes == NULL) return;
  for (size_t i = 0; i < SETS * WAYS; i++) forget(self, &self->shapes->places[i]);
  free(self->shapes);
  self->shapes = NULL;
}

/* ---- Objects ---- */

static napi_value make_with(fibril__env *self, napi_value function, const fibril__list *list) {
  napi_value items[list->length], undefined, object;
  for (size_t i = 0; i < list->length; i++) {
    items[i] = fibril__to_js(self, list->as.pairs[i].value);
    if (items[i] == NULL) return NULL;
  }
  napi_get_undefined(self->env, &undefined);
  return napi_call_function(self->env, undefined, function, list->length, items, &object) == napi_ok
             ? object
             : NULL;
}

/* Properties are defined, not set: setters, also that of __proto__, don't hear of them. */
static napi_value define_each(fibril__env *self, const fibril__list *list) {
  napi_value object;
  if (napi_create_object(self->env, &object) != napi_ok) return NULL;
  for (size_t i = 0; i < list->length; i++) {
    const fibril__pair *pair = &list->as.pairs[i];
    napi_property_descriptor property = {.utf8name = pair->key,
                                         .value = fibril__to_js(self, pair->value),
                                         .attributes = napi_default_jsproperty};
    if (property.value == NULL ||
        napi_define_properties(self->env, object, 1, &property) != napi_ok)
      return NULL;
  }
  return object;
}

napi_value fibril__object_to_js(fibril__env *self, fibril_value value) {
  const fibril__list *list = fibril__value_box(value);
  napi_value function = function_for(self, list);
  return function != NULL ? make_with(self, function, list) : define_each(self, list);
}
