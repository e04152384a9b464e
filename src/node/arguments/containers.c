/* Decoding what has types in it: arrays, tuples, maps, sets, and objects. */
#include "containers.h"

#include "../../core/value/map.h"
#include "../../core/value/object.h"
#include "../values/from_js.h"
#include "../values/references.h"

#include <stdio.h>

/* Elements for which room is made ahead: what an array says of its length costs it nothing. */
#define ROOM_MAX 1024

napi_value fibril__decode_thrown(fibril__decoder *d) {
  napi_value exception = fibril__env_take_exception(d->env);
  if (exception == NULL) d->failure = fibril__error_code(UV_ENOMEM);
  return exception;
}

napi_value fibril__refuse_argument(fibril__decoder *d, int mistake, const fibril__place *place,
                                   const fibril__type *type, const char *text, napi_value value) {
  napi_value error = fibril__bad_argument(d->env, mistake, place, type, text, value);
  return error == NULL ? fibril__decode_thrown(d) : error;
}

napi_value fibril__refuse_value(fibril__decoder *d, const fibril__place *place, const char *reason,
                                napi_value value) {
  return fibril__refuse_argument(d, FIBRIL__WRONG_VALUE, place, NULL, reason, value);
}

/* ---- Items of an array of JavaScript's ---- */

typedef struct {
  fibril__decoder *d;
  const fibril__place *place; /* of what they are in */
  napi_value array;
  fibril_value container; /* where they go */
} items;

/* The one at `index` that is of this type, or of this place of a tuple. */
static napi_value decode_item(const items *in, const fibril__place *place, const fibril__type *type,
                              const fibril__parameter *parameter, uint32_t index,
                              fibril_value *out) {
  fibril__decoder *d = in->d;
  napi_env env = d->env->env;
  napi_escapable_handle_scope scope;
  napi_valuetype js;
  napi_value item, error;
  *out = fibril_undefined();
  if (napi_open_escapable_handle_scope(env, &scope) != napi_ok) return fibril__decode_thrown(d);
  if (napi_get_element(env, in->array, index, &item) != napi_ok) {
    error = fibril__decode_thrown(d);
  } else if (parameter != NULL) {
    error = d->parameter(d, place, parameter, item, out);
  } else {
    napi_typeof(env, item, &js);
    error = d->value(d, place, type, item, js, out);
  }
  if (error != NULL && napi_escape_handle(env, scope, error, &error) != napi_ok)
    error = fibril__decode_thrown(d);
  napi_close_escapable_handle_scope(env, scope);
  if (fibril__is_error(*out)) {
    d->failure = *out;
    *out = fibril_undefined();
  }
  return error;
}

static bool items_failed(const items *in, napi_value error) {
  return error != NULL || fibril__decode_failed(in->d);
}

/* An item that was added, or could not be. */
static void note_added(const items *in, int err) {
  if (err != 0) in->d->failure = fibril__error_code(err);
}

/* Each is of `type`, or of the place of a tuple that it is in. */
static napi_value decode_list(const items *in, const fibril__type *type,
                              const fibril__parameter *places, uint32_t length,
                              int (*add)(fibril_value container, fibril_value item)) {
  napi_value error = NULL;
  for (uint32_t i = 0; i < length && !items_failed(in, error); i++) {
    fibril__place here = {.outer = in->place, .index = i};
    fibril_value item;
    error = decode_item(in, &here, type, places == NULL ? NULL : &places[i], i, &item);
    if (items_failed(in, error))
      fibril_value_free(item);
    else
      note_added(in, add(in->container, item));
  }
  return error;
}

/* As many as the tuple has places, but for optional ones at the end. */
static napi_value decode_tuple(const items *in, const fibril__type *type, uint32_t length) {
  uint32_t required = 0, count = type->place_count;
  while (required < count && !type->places[required].optional) required++;
  if (length >= required && length <= count)
    return decode_list(in, NULL, type->places, count, fibril_array_push);
  char reason[64];
  if (required == count)
    snprintf(reason, sizeof reason, "must have %u element%s", (unsigned)count,
             count == 1 ? "" : "s");
  else
    snprintf(reason, sizeof reason, "must have %u to %u elements", (unsigned)required,
             (unsigned)count);
  return fibril__refuse_value(in->d, in->place, reason, in->array);
}

static uint32_t items_length(const items *in) {
  uint32_t length = 0;
  napi_get_array_length(in->d->env->env, in->array, &length);
  return length;
}

/* `array`: keys and values in turn. An entry of a map is told of by its number. */
static napi_value decode_map(const items *in, const fibril__type *types) {
  uint32_t length = items_length(in);
  napi_value error = NULL;
  for (uint32_t i = 0; i + 1 < length && !items_failed(in, error); i += 2) {
    fibril__place here = {.outer = in->place, .index = i / 2};
    fibril__place of_key = {.outer = &here, .name = "key", .name_length = 3};
    fibril__place of_value = {.outer = &here, .name = "value", .name_length = 5};
    fibril_value key, value = fibril_undefined();
    error = decode_item(in, &of_key, &types[0], NULL, i, &key);
    if (!items_failed(in, error))
      error = decode_item(in, &of_value, &types[1], NULL, i + 1, &value);
    if (!items_failed(in, error)) {
      note_added(in, fibril__map_add(in->container, key, value));
      continue;
    }
    fibril_value_free(key);
    fibril_value_free(value);
  }
  return error;
}

/* The same of an object. Values are told of by their keys. */
static napi_value decode_pairs(const items *in, const fibril__type *type) {
  static const fibril__type string = {.accepts = FIBRIL__STRING};
  uint32_t length = items_length(in);
  napi_value error = NULL;
  for (uint32_t i = 0; i + 1 < length && !items_failed(in, error); i += 2) {
    fibril__place here = {.outer = in->place};
    fibril_value key, value = fibril_undefined();
    error = decode_item(in, &here, &string, NULL, i, &key);
    if (!items_failed(in, error)) {
      here.name = fibril_value_string(key, &here.name_length);
      error = decode_item(in, &here, type, NULL, i + 1, &value);
    }
    if (items_failed(in, error))
      fibril_value_free(value);
    else
      note_added(in, fibril__object_set(in->container, here.name, here.name_length, value));
    fibril_value_free(key);
  }
  return error;
}

/* ---- Arrays, tuples, maps and sets ---- */

/* What the runtime makes an array of; NULL: it is none of those, or that has failed. */
static napi_value ask_items(fibril__decoder *d, int function, napi_value value, napi_value *error) {
  bool is = false;
  napi_value array = fibril__env_ask(d->env, function, 1, &value);
  if (array == NULL)
    *error = fibril__decode_thrown(d);
  else if (napi_is_array(d->env->env, array, &is) == napi_ok && is)
    return array;
  return NULL;
}

static napi_value decode_items(items *in, const fibril__type *type, fibril_value *out) {
  uint32_t length = items_length(in);
  *out = in->container = fibril_array(length < ROOM_MAX ? length : ROOM_MAX);
  if (fibril__is_error(*out)) return NULL;
  return type->accepts & FIBRIL__TUPLE
             ? decode_tuple(in, type, length)
             : decode_list(in, type->element, NULL, length, fibril_array_push);
}

napi_value fibril__decode_container(fibril__decoder *d, const fibril__place *place,
                                    const fibril__type *type, napi_value value, bool *is,
                                    fibril_value *out) {
  items in = {.d = d, .place = place, .array = value};
  napi_value error = NULL;
  *is = false;
  if (type->accepts & (FIBRIL__ARRAY | FIBRIL__TUPLE) &&
      napi_is_array(d->env->env, value, is) == napi_ok && *is)
    return decode_items(&in, type, out);
  if (type->accepts & FIBRIL__MAP &&
      (in.array = ask_items(d, FIBRIL__JS_MAP_ITEMS, value, &error)) != NULL) {
    *is = true;
    *out = in.container = fibril_map();
    return fibril__is_error(*out) ? NULL : decode_map(&in, type->entry);
  }
  if (error == NULL && !fibril__decode_failed(d) && type->accepts & FIBRIL__SET &&
      (in.array = ask_items(d, FIBRIL__JS_SET_ITEMS, value, &error)) != NULL) {
    *is = true;
    *out = in.container = fibril_set();
    return fibril__is_error(*out)
               ? NULL
               : decode_list(&in, type->item, NULL, items_length(&in), fibril__set_add);
  }
  return error;
}

/* ---- Objects ---- */

napi_value fibril__decode_dictionary(fibril__decoder *d, const fibril__place *place,
                                     const fibril__type *type, napi_value value, bool *is,
                                     fibril_value *out) {
  items in = {.d = d, .place = place};
  napi_value error = NULL;
  in.array = ask_items(d, FIBRIL__JS_OBJECT_ITEMS, value, &error);
  *is = in.array != NULL;
  if (!*is) return error;
  *out = in.container = fibril_object();
  return fibril__is_error(*out) ? NULL : decode_pairs(&in, type->value);
}

napi_value fibril__decode_property(fibril__decoder *d, const fibril__place *place,
                                   const fibril__parameter *property, napi_value object,
                                   fibril_value *out) {
  napi_env env = d->env->env;
  napi_value key, value;
  if (object == NULL) {
    *out = fibril_value_dup(property->initial);
    return NULL;
  }
  if (napi_create_string_utf8(env, property->name, property->name_length, &key) != napi_ok ||
      napi_get_property(env, object, key, &value) != napi_ok)
    return fibril__decode_thrown(d);
  fibril__place here = {
      .outer = place, .name = property->name, .name_length = property->name_length};
  return d->parameter(d, &here, property, value, out);
}

napi_value fibril__decode_record(fibril__decoder *d, const fibril__place *place,
                                 const fibril__type *type, napi_value value, fibril_value *out) {
  *out = fibril_object();
  for (uint32_t i = 0; i < type->property_count && !fibril__is_error(*out); i++) {
    const fibril__parameter *property = &type->properties[i];
    fibril_value decoded = fibril_undefined();
    napi_value error = fibril__decode_property(d, place, property, value, &decoded);
    if (error != NULL || fibril__decode_failed(d)) {
      fibril_value_free(decoded);
      return error;
    }
    int err = fibril__object_set(*out, property->name, property->name_length, decoded);
    if (err != 0) d->failure = fibril__error_code(err);
    if (fibril__decode_failed(d)) return NULL;
  }
  return NULL;
}
