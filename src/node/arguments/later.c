/* The copies of large bytes, of arguments and of results. JavaScript goes on meanwhile, and may
 * take the memory away: it is looked at again before each piece. */
#include "later.h"

#include "../../core/value/buffer.h"
#include "../values/references.h"
#include "../values/to_js.h"
#include "../values/values.h"

#include <stdlib.h>
#include <string.h>

/* Half a millisecond or two, with the faults of memory that is new. */
#define PIECE ((size_t)1 << 20)

struct fibril__later {
  fibril__later *next;
  fibril_value source; /* the view, a reference; owned */
  fibril_value target; /* owned */
  size_t length, done;
  fibril__place place[]; /* of the argument, the innermost first */
};

/* With its names, which may be an object's keys. */
static size_t size_of_place(const fibril__place *place) {
  size_t size = 0;
  for (; place != NULL; place = place->outer)
    size += sizeof *place + (place->name == NULL ? 0 : place->name_length);
  return size;
}

static void copy_place(fibril__place *to, const fibril__place *from) {
  size_t depth = 0;
  for (const fibril__place *each = from; each != NULL; each = each->outer) depth++;
  char *names = (char *)(to + depth);
  for (; from != NULL; from = from->outer, to++) {
    *to = *from;
    to->outer = from->outer == NULL ? NULL : to + 1;
    if (from->name == NULL) continue;
    to->name = memcpy(names, from->name, from->name_length);
    names += from->name_length;
  }
}

static void later_free(fibril__later *later) {
  fibril_value_free(later->source);
  fibril_value_free(later->target);
  free(later);
}

static void add(fibril_args *args, fibril__later *later) {
  fibril__later **at = &args->later;
  while (*at != NULL) at = &(*at)->next;
  *at = later;
}

fibril_value fibril__later_new(fibril_args *args, const fibril__place *place,
                               const fibril__bytes *bytes) {
  fibril_value room = fibril_value_take(fibril__bytes_room(bytes)), source;
  fibril__later *later =
      fibril__is_error(room) ? NULL : calloc(1, sizeof *later + size_of_place(place));
  if (later == NULL) {
    fibril_value_free(room);
    return fibril__error_code(UV_ENOMEM);
  }
  source = fibril_value_take(fibril__reference_new(args->callee->env, bytes->value));
  if (fibril__is_error(source)) {
    fibril_value_free(room);
    free(later);
    return source;
  }
  later->source = source;
  later->target = fibril_value_dup(room);
  later->length = bytes->length;
  copy_place(later->place, place);
  add(args, later);
  return room;
}

void fibril__later_drop(fibril_args *args) {
  while (args->later != NULL) {
    fibril__later *later = args->later;
    args->later = later->next;
    later_free(later);
  }
}

/* ---- A piece ---- */

typedef struct {
  fibril_args *args;
  fibril_value failure; /* owned; undefined: there is none */
} copying;

static fibril_value refuse(fibril__env *self, const fibril__later *later, napi_value value,
                           const char *reason) {
  fibril__env_enter_js(self);
  napi_value error =
      fibril__bad_argument(self, FIBRIL__WRONG_VALUE, later->place, NULL, reason, value);
  fibril_value failure =
      error == NULL ? fibril__take_failure(self) : fibril__exception_from_js(self, error);
  fibril__env_leave_js(self);
  return fibril_value_take(failure);
}

static fibril_value copy_piece(fibril_args *args) {
  fibril__env *self = args->callee->env;
  fibril__later *later = args->later;
  fibril__bytes bytes;
  napi_value value = fibril__to_js(self, later->source);
  if (value == NULL || fibril__bytes_look(self, value, &bytes) == 0)
    return fibril_value_take(fibril__take_failure(self));
  if (bytes.detached)
    return refuse(self, later, value, "must not be backed by a detached ArrayBuffer");
  if (bytes.length < later->length)
    return refuse(self, later, value, "must not shrink before the function begins");
  size_t left = later->length - later->done, piece = left < PIECE ? left : PIECE;
  unsigned char *target = fibril_value_buffer(later->target, NULL);
  memcpy(target + later->done, bytes.data + later->done, piece);
  later->done += piece;
  if (later->done < later->length) return fibril_undefined();
  args->later = later->next;
  later_free(later);
  return fibril_undefined();
}

/* On the loop's stack. */
static void copy_on_loop(void *data) {
  copying *self = data;
  fibril__env *env = self->args->callee->env;
  napi_handle_scope handles;
  if (env->exiting || napi_open_handle_scope(env->env, &handles) != napi_ok) {
    self->failure = fibril__error_code(FIBRIL_ECLOSED);
    return;
  }
  napi_callback_scope scope = fibril__env_open_scope(env);
  self->failure = copy_piece(self->args);
  fibril__env_close_scope(env, scope);
  napi_close_handle_scope(env->env, handles);
}

/* ---- All of them ---- */

/* One who had to wait begins in a turn of its own. */
static int get_in_line(fibril_mutex *line) {
  if (fibril_mutex_trylock(line) == 0) return 0;
  int err = fibril_mutex_lock(line);
  if (err != 0) return err;
  err = fibril_moment();
  if (err != 0) fibril_mutex_unlock(line);
  return err;
}

fibril_value fibril__args_complete(fibril_args *args) {
  fibril_mutex *line = &fibril__values_of(args->callee->env)->bytes.line;
  copying self = {args, fibril_undefined()};
  int err = get_in_line(line);
  if (err != 0) return fibril__error_code(err);
  while (err == 0 && !fibril__is_error(self.failure) && args->later != NULL) {
    fibril_on_loop(copy_on_loop, &self);
    if (!fibril__is_error(self.failure) && args->later != NULL) err = fibril_moment();
  }
  fibril_mutex_unlock(line);
  return err != 0 ? fibril__error_code(err) : self.failure;
}

/* ---- Results ---- */

/* False: it was cancelled, or there is no memory. */
static bool copy_in_pieces(fibril_value from, fibril_value to) {
  size_t length = 0;
  const unsigned char *source = fibril_value_buffer(from, &length);
  unsigned char *target = fibril_value_buffer(to, NULL);
  if (target == NULL) return false;
  for (size_t done = 0; done < length; done += PIECE) {
    if (done > 0 && fibril_moment() != 0) return false;
    memcpy(target + done, source + done, length - done < PIECE ? length - done : PIECE);
  }
  return true;
}

fibril_value fibril__result_copied(fibril__env *self, fibril_value result) {
  fibril_mutex *line = &fibril__values_of(self)->bytes.line;
  size_t length = 0;
  fibril_value_buffer(result, &length);
  if (length <= FIBRIL__AT_ONCE) return result;
  result = fibril_value_take(result);
  /* Where C's memory is not given away the copy would be copied, too. */
  if (!fibril__values_of(self)->bytes.adopts) return result;
  if (fibril__buffer_is_sole(result) || get_in_line(line) != 0) return result;
  fibril_value copy = fibril__buffer_room(length, fibril_value_view(result));
  bool whole = copy_in_pieces(result, copy);
  fibril_mutex_unlock(line);
  if (!whole) {
    fibril_value_free(fibril_value_take(copy));
    return result;
  }
  fibril_value_free(result);
  return copy;
}
