/* C's values become JavaScript's. How deep they nest is their data's to say, and the thread's stack
 * may be a small one: nothing recurses, what is not complete yet stands in a list. */
#include "to_js.h"

#include "../../core/value/array.h"
#include "../../core/value/error.h"
#include "adopt.h"
#include "instances.h"
#include "references.h"
#include "shapes.h"

#include <stdlib.h>
#include <string.h>

/* A value that contains itself comes to an end here, too. */
#define DEPTH_MAX 1000000
/* A longer array is made in pieces, whose items' handles go with each. */
#define PIECE 128
/* So many pieces are joined by one call. */
#define JOINED 1024

/* An array, an object or an error whose members are being converted. */
typedef struct {
  fibril_value value; /* owned: JavaScript that runs meanwhile may have it dropped where it was */
  size_t next, limit; /* of its members */
  size_t first;       /* where its members begin among the values */
  size_t pieces;      /* of a long array: these come first */
  napi_value make;    /* of an object: the function that takes its members, */
  napi_value made;    /* or what gets them as properties, one by one */
  napi_escapable_handle_scope scope; /* of a long array's piece */
} frame;

typedef struct {
  fibril__env *env;
  frame *frames;
  size_t depth, frame_room;
  napi_value *values; /* members that are JavaScript's already */
  size_t count, value_room;
  frame few_frames[4];
  napi_value few_values[32];
} builder;

/* ---- What has no members ---- */

static napi_value reference_to_js(fibril__env *self, fibril_value value) {
  fibril__reference *reference = fibril__value_box(value);
  napi_value result = NULL;
  if (reference->owner != self ||
      napi_get_reference_value(self->env, reference->ref, &result) != napi_ok)
    return fibril__env_undefined(self);
  if (reference->wrapped && napi_get_element(self->env, result, 0, &result) != napi_ok) return NULL;
  return result;
}

/* V8 says nothing of one that is too long. */
static napi_value string_to_js(fibril__env *self, fibril_value value) {
  napi_value result, bytes, error;
  napi_valuetype type;
  size_t length;
  const char *text = fibril_value_string(value, &length);
  if (napi_create_string_utf8(self->env, text, length, &result) == napi_ok) return result;
  if (napi_create_double(self->env, (double)length, &bytes) == napi_ok &&
      (error = fibril__env_ask(self, FIBRIL__JS_STRING_FAILURE, 1, &bytes)) != NULL &&
      napi_typeof(self->env, error, &type) == napi_ok && type == napi_object)
    napi_throw(self->env, error);
  return NULL;
}

/* What JavaScript threw, or NULL: the error is to be made. */
static fibril__reference *exception_of(fibril_value error) {
  if (!(error.tag & FIBRIL__BOXED)) return NULL;
  fibril_value exception = ((fibril__error *)fibril__value_box(error))->exception;
  return fibril_value_kind(exception) == FIBRIL_REFERENCE ? fibril__value_box(exception) : NULL;
}

static bool has_members(fibril_value value) {
  fibril_kind kind = fibril_value_kind(value);
  return fibril__has_items(value) || kind == FIBRIL_OBJECT ||
         (kind == FIBRIL_ERROR && exception_of(value) == NULL);
}

static napi_value plain_to_js(fibril__env *self, fibril_value value) {
  napi_env env = self->env;
  napi_value result = NULL;
  switch (fibril_value_kind(value)) {
    case FIBRIL_NULL: napi_get_null(env, &result); break;
    case FIBRIL_BOOLEAN: napi_get_boolean(env, value.as.integer != 0, &result); break;
    case FIBRIL_NUMBER: napi_create_double(env, value.as.number, &result); break;
    case FIBRIL_BIGINT: napi_create_bigint_int64(env, value.as.integer, &result); break;
    case FIBRIL_DATE: napi_create_date(env, value.as.number, &result); break;
    case FIBRIL_STRING: return string_to_js(self, value);
    case FIBRIL_BUFFER: return fibril__bytes_to_js(self, value);
    case FIBRIL_REFERENCE: return reference_to_js(self, value);
    case FIBRIL_INSTANCE: return fibril__instance_to_js(self, value);
    case FIBRIL_ERROR:
      return reference_to_js(self, ((fibril__error *)fibril__value_box(value))->exception);
    default: return fibril__env_undefined(self);
  }
  return result;
}

/* ---- Errors ---- */

static bool text_to_js(fibril__env *self, const char *text, napi_value *out) {
  if (text == NULL) return napi_get_undefined(self->env, out) == napi_ok;
  return napi_create_string_utf8(self->env, text, NAPI_AUTO_LENGTH, out) == napi_ok;
}

/* What the runtime's makeError gets. Every property is there: none is looked for in a prototype. */
static napi_value describe_error(fibril__env *self, fibril_value value, napi_value properties) {
  int code = fibril_error_code(value);
  const fibril__error none = {.code = code};
  const fibril__error *error = value.tag & FIBRIL__BOXED ? fibril__value_box(value) : &none;
  napi_value description, undefined = fibril__env_undefined(self), number = undefined;
  /* Only what the system said has an errno. */
  if (error->class_name == NULL && code > FIBRIL_EALREADY)
    napi_create_int32(self->env, code, &number);
  napi_property_descriptor all[] = {
      {.utf8name = "errno", .value = number},
      {.utf8name = "properties", .value = properties == NULL ? undefined : properties},
      {.utf8name = "code"},
      {.utf8name = "text"},
      {.utf8name = "className"},
      {.utf8name = "syscall"},
      {.utf8name = "path"},
      {.utf8name = "message"},
  };
  const char *const texts[] = {
      error->code_name != NULL ? error->code_name : fibril_err_name(code),
      fibril_strerror(code),
      error->class_name,
      error->syscall,
      error->path,
      error->message,
  };
  enum { COUNT = sizeof all / sizeof all[0], TEXTS = sizeof texts / sizeof texts[0] };
  for (size_t i = 0; i < TEXTS; i++)
    if (!text_to_js(self, texts[i], &all[COUNT - TEXTS + i].value)) return NULL;
  for (size_t i = 0; i < COUNT; i++) all[i].attributes = napi_default_jsproperty;
  return napi_create_object(self->env, &description) == napi_ok &&
                 napi_define_properties(self->env, description, COUNT, all) == napi_ok
             ? description
             : NULL;
}

/* The same for why a value could not be made: the pending exception, which it takes. */
static napi_value failure_to_js(fibril__env *self, int *kind) {
  napi_value exception = fibril__env_take_exception(self);
  *kind = exception != NULL ? FIBRIL__CALL_THROWN : FIBRIL__CALL_ERROR;
  return exception != NULL ? exception : describe_error(self, fibril__error_code(UV_ENOMEM), NULL);
}

napi_value fibril__error_to_js(fibril__env *self, fibril_value value, int *kind) {
  napi_value properties = NULL;
  *kind = FIBRIL__CALL_THROWN;
  if (!has_members(value)) return plain_to_js(self, value);
  *kind = FIBRIL__CALL_ERROR;
  if (value.tag & FIBRIL__BOXED) {
    properties = fibril__to_js(self, ((fibril__error *)fibril__value_box(value))->properties);
    if (properties == NULL) return failure_to_js(self, kind);
  }
  return describe_error(self, value, properties);
}

/* ---- What has members ---- */

/* Room for one more of `items`, which begin in `few`. */
static void *with_room(void *items, const void *few, size_t count, size_t *room, size_t size) {
  if (count < *room) return items;
  void *more = realloc(items == few ? NULL : items, *room * 2 * size);
  if (more == NULL) return NULL;
  if (items == few) memcpy(more, few, count * size);
  *room *= 2;
  return more;
}

static bool push_value(builder *b, napi_value value) {
  napi_value *values =
      with_room(b->values, b->few_values, b->count, &b->value_room, sizeof *values);
  if (values == NULL) return false;
  b->values = values;
  values[b->count++] = value;
  return true;
}

static bool too_deep(builder *b) {
  napi_throw_range_error(b->env->env, "ERR_FIBRIL_TOO_DEEP",
                         "A value is nested more than 1000000 deep, or contains itself");
  return false;
}

static bool open_frame(builder *b, fibril_value value) {
  if (b->depth == DEPTH_MAX) return too_deep(b);
  frame *frames = with_room(b->frames, b->few_frames, b->depth, &b->frame_room, sizeof *frames);
  if (frames == NULL) return false;
  b->frames = frames;
  frame *top = &frames[b->depth];
  *top = (frame){.first = b->count};
  switch (fibril_value_kind(value)) {
    case FIBRIL_ARRAY:
    case FIBRIL_MAP:
    case FIBRIL_SET:
      top->limit = ((fibril__list *)fibril__value_box(value))->length;
      if (top->limit > PIECE &&
          napi_open_escapable_handle_scope(b->env->env, &top->scope) != napi_ok)
        return false;
      break;
    case FIBRIL_OBJECT:
      top->limit = ((fibril__list *)fibril__value_box(value))->length;
      top->make = fibril__object_maker(b->env, value);
      if (top->make == NULL && napi_create_object(b->env->env, &top->made) != napi_ok) return false;
      break;
    default: /* an error's properties */
      top->limit = value.tag & FIBRIL__BOXED &&
                   fibril_value_kind(((fibril__error *)fibril__value_box(value))->properties) ==
                       FIBRIL_OBJECT;
      break;
  }
  top->value = fibril_value_dup(value);
  b->depth++;
  return true;
}

static const fibril__pair *pair_at(const frame *top) {
  return &((fibril__list *)fibril__value_box(top->value))->as.pairs[top->next];
}

static fibril_value member_at(const frame *top) {
  switch (fibril_value_kind(top->value)) {
    case FIBRIL_ARRAY:
    case FIBRIL_MAP:
    case FIBRIL_SET:
      return fibril__value_borrow(
          ((fibril__list *)fibril__value_box(top->value))->as.items[top->next]);
    case FIBRIL_OBJECT: return fibril__value_borrow(pair_at(top)->value);
    default:
      return fibril__value_borrow(((fibril__error *)fibril__value_box(top->value))->properties);
  }
}

/* The items of an array that are there become one of its pieces. */
static bool end_piece(builder *b, frame *top) {
  napi_env env = b->env->env;
  size_t at = top->first + top->pieces;
  napi_value piece = fibril__array_to_js(b->env, b->values + at, b->count - at);
  if (piece == NULL) return false;
  if (top->scope != NULL) {
    bool escaped = napi_escape_handle(env, top->scope, piece, &piece) == napi_ok;
    napi_close_escapable_handle_scope(env, top->scope);
    top->scope = NULL;
    if (!escaped ||
        (top->next < top->limit && napi_open_escapable_handle_scope(env, &top->scope) != napi_ok))
      return false;
  }
  b->count = at;
  top->pieces++;
  return push_value(b, piece);
}

/* Properties are defined, not set, and arrays made of their items: setters in prototypes, also that
 * of __proto__, don't hear of them. */
static bool add_member(builder *b, napi_value item) {
  frame *top = &b->frames[b->depth - 1];
  if (top->made != NULL) {
    const fibril__pair *pair = pair_at(top);
    napi_property_descriptor property = {
        .utf8name = pair->key, .value = item, .attributes = napi_default_jsproperty};
    if (((fibril__list *)fibril__value_box(top->value))->odd) {
      property.utf8name = NULL;
      if (napi_create_string_utf8(b->env->env, pair->key, pair->length, &property.name) != napi_ok)
        return false;
    }
    top->next++;
    return napi_define_properties(b->env->env, top->made, 1, &property) == napi_ok;
  }
  top->next++;
  if (!push_value(b, item)) return false;
  return !fibril__has_items(top->value) || b->count - top->first - top->pieces < PIECE ||
         end_piece(b, top);
}

static napi_value join_pieces(builder *b, frame *top) {
  if (b->count > top->first + top->pieces || top->pieces == 0)
    if (!end_piece(b, top)) return NULL;
  napi_value *pieces = b->values + top->first;
  while (top->pieces > 1) {
    size_t joined = 0;
    for (size_t i = 0; i < top->pieces; i += JOINED) {
      size_t count = top->pieces - i < JOINED ? top->pieces - i : JOINED;
      pieces[joined] = fibril__env_ask(b->env, FIBRIL__JS_JOIN, count, pieces + i);
      if (pieces[joined++] == NULL) return NULL;
    }
    top->pieces = joined;
  }
  return pieces[0];
}

/* Among the members of a result an error is a value like others. */
static napi_value make_error(builder *b, const frame *top) {
  napi_value properties = top->limit > 0 ? b->values[top->first] : NULL;
  napi_value description = describe_error(b->env, top->value, properties);
  if (description == NULL) return NULL;
  return fibril__env_ask(b->env, FIBRIL__JS_NESTED_ERROR, 1, &description);
}

static napi_value make_object(builder *b, const frame *top) {
  napi_value result;
  return napi_call_function(b->env->env, fibril__env_undefined(b->env), top->make, top->limit,
                            b->values + top->first, &result) == napi_ok
             ? result
             : NULL;
}

/* All of its members are there. */
static napi_value finish_frame(builder *b, frame *top) {
  if (top->made != NULL) return top->made;
  if (top->make != NULL) return make_object(b, top);
  if (!fibril__has_items(top->value)) return make_error(b, top);
  napi_value items = join_pieces(b, top);
  switch (fibril_value_kind(top->value)) {
    case FIBRIL_MAP:
      return items == NULL ? NULL : fibril__env_ask(b->env, FIBRIL__JS_MAP_OF, 1, &items);
    case FIBRIL_SET:
      return items == NULL ? NULL : fibril__env_ask(b->env, FIBRIL__JS_SET_OF, 1, &items);
    default: return items;
  }
}

static void close_frame(builder *b) {
  frame *top = &b->frames[--b->depth];
  if (top->scope != NULL) napi_close_escapable_handle_scope(b->env->env, top->scope);
  b->count = top->first;
  fibril_value_free(top->value);
}

/* NULL on failure, with frames that are left. */
static napi_value build_tree(builder *b, fibril_value value) {
  napi_value item = NULL;
  if (!open_frame(b, value)) return NULL;
  while (b->depth > 0) {
    frame *top = &b->frames[b->depth - 1];
    if (top->next < top->limit) {
      fibril_value member = member_at(top);
      if (has_members(member)) {
        if (!open_frame(b, member)) return NULL;
        continue;
      }
      item = plain_to_js(b->env, member);
    } else {
      item = finish_frame(b, top);
      close_frame(b);
    }
    if (item == NULL || (b->depth > 0 && !add_member(b, item))) return NULL;
  }
  return item;
}

__attribute__((noinline)) static napi_value tree_to_js(fibril__env *self, fibril_value value) {
  builder b;
  b.env = self;
  b.frames = b.few_frames;
  b.values = b.few_values;
  b.depth = b.count = 0;
  b.frame_room = sizeof b.few_frames / sizeof b.few_frames[0];
  b.value_room = sizeof b.few_values / sizeof b.few_values[0];
  napi_value result = build_tree(&b, value);
  while (b.depth > 0) close_frame(&b);
  if (b.frames != b.few_frames) free(b.frames);
  if (b.values != b.few_values) free(b.values);
  return result;
}

napi_value fibril__to_js(fibril__env *self, fibril_value value) {
  return has_members(value) ? tree_to_js(self, value) : plain_to_js(self, value);
}

napi_value fibril__array_to_js(fibril__env *self, const napi_value *items, size_t count) {
  return fibril__env_ask(self, FIBRIL__JS_ARRAY, count, items);
}

int fibril__boxed_result_to_js(fibril__env *self, fibril_value value, napi_value *out) {
  int kind = FIBRIL__CALL_VALUE;
  if (fibril__is_error(value)) {
    *out = fibril__error_to_js(self, value, &kind);
  } else {
    *out = fibril__to_js(self, value);
    if (*out == NULL) *out = failure_to_js(self, &kind);
  }
  fibril_value_free(value);
  return kind;
}
