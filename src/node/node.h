/* What the files of src/node share: the environment and how values cross. All of it belongs to the
 * loop's stack. */
#ifndef FIBRIL_NODE_NODE_H
#define FIBRIL_NODE_NODE_H

#include "../core/core.h"

#include <node_api.h>

/* How many settled futures cross with one call. */
#define FIBRIL__BATCH 1024

/* What became of a call, or of a future in a batch. The runtime's JavaScript has the same names. */
enum {
  FIBRIL__CALL_PENDING,
  FIBRIL__CALL_UNDEFINED,
  FIBRIL__CALL_NUMBER,
  FIBRIL__CALL_VALUE,
  FIBRIL__CALL_ERROR, /* a description, from which JavaScript makes the Error */
  FIBRIL__CALL_THROWN /* a JavaScript value as it was thrown */
};

/* Words shared with JavaScript; reading them there costs no call. */
enum {
  FIBRIL__STATUS_RESULT,  /* of the last call */
  FIBRIL__STATUS_TURN,    /* something is ready that need not wait for the next poll */
  FIBRIL__STATUS_SLOT,    /* set by JavaScript before a call: its slot */
  FIBRIL__STATUS_REQUEST, /* set by JavaScript: what it wants of an iterator */
  FIBRIL__STATUS_DONE,    /* of the item that it got */
  FIBRIL__STATUS_WORDS
};

/* The runtime's functions that C calls. */
enum {
  FIBRIL__JS_WRAP,
  FIBRIL__JS_WRAP_GENERATOR,
  FIBRIL__JS_WRAP_ASYNC_GENERATOR,
  FIBRIL__JS_SETTLE,
  FIBRIL__JS_INVOKE,
  FIBRIL__JS_FORGET,
  FIBRIL__JS_BIND,
  FIBRIL__JS_PATH,
  FIBRIL__JS_BAD_ARGUMENT,
  FIBRIL__JS_CREATE_CLASS,
  FIBRIL__JS_ADD_METHOD,
  FIBRIL__JS_ADD_GETTER,
  FIBRIL__JS_MAKE_ERROR,
  FIBRIL__JS_OBJECT_MAKER,
  FIBRIL__JS_PUBLISH,
  FIBRIL__JS_FUNCTIONS
};

typedef struct fibril__env fibril__env;
typedef struct fibril__reference fibril__reference;
typedef struct fibril__js_place fibril__js_place;

/* Who waits for a JavaScript promise. */
typedef struct fibril__js_places {
  fibril__js_place *places;
  uint32_t capacity;
  uint32_t free; /* the first free place; `capacity`: none */
} fibril__js_places;

/* All state of one napi_env. */
struct fibril__env {
  napi_env env;
  fibril_loop *loop; /* NULL once closed */
  size_t refs;       /* reference values, and the environment itself */
  bool exiting;      /* no call into JavaScript any more */
  unsigned in_js; /* JavaScript that this environment called, or that called it, is on the stack */
  napi_async_cleanup_hook_handle hook;
  napi_async_context async;
  napi_ref resource; /* of `async` */
  napi_ref functions[FIBRIL__JS_FUNCTIONS];
  napi_ref api; /* what lib/ uses of the runtime */

  /* Shared with JavaScript. */
  int32_t *status;
  double *immediate;
  int32_t *slots;
  uint8_t *kinds;
  double *numbers;
  napi_ref shared[5]; /* keep them */

  struct fibril__calls {
    uint32_t capacity;               /* of both, a power of two */
    fibril_coroutine **pending;      /* by slot: of the calls that have not ended */
    struct fibril__settled *settled; /* a ring of those that have ended */
    uint32_t first, count;           /* in it */
  } calls;
  fibril__reference *dead; /* references whose napi_refs are to be deleted */
  fibril__js_places waits;
  struct fibril__shapes *shapes; /* of objects; NULL: there has been none */
  fibril_callback *callbacks;
  struct fibril__export *exports;
  fibril_class *classes;
  struct fibril__instance *instances; /* with a reference left */
  struct fibril__instance *unused;    /* to be released */
  struct fibril__iterator *iterators; /* all that have not been discarded */
  struct fibril__iterator *unheld;    /* those whose objects have been collected: to be ended */
  bool unwound;                       /* no coroutine is left: it closes */
  struct fibril__ioloop *ioloops;
};

/* A JavaScript value that C holds. Strings, bigints and symbols sit in an array of one. */
struct fibril__reference {
  fibril__box box;
  fibril__env *owner;
  napi_ref ref;
  napi_ref resource; /* a function's AsyncResource */
  bool wrapped;
  fibril__reference *next;
};

/* env.c */
bool fibril__env_create(napi_env env, fibril__env **out);
napi_value fibril__env_function(fibril__env *self, int function);
/* Calls a function that has to hear of something: what Node refuses without running it, it is asked
 * again, twice. */
napi_status fibril__env_call(fibril__env *self, napi_value function, size_t argc,
                             const napi_value *argv, napi_value *result);
/* Throws, unless an exception is pending, in a function that JavaScript called. */
void fibril__throw_failure(napi_env env);
/* Before and after JavaScript is called from the event loop itself: a callback scope, in which
 * promise jobs run at the end. NULL where JavaScript is on the stack already, which runs them
 * itself. */
napi_callback_scope fibril__env_open_scope(fibril__env *self);
void fibril__env_close_scope(fibril__env *self, napi_callback_scope scope);
/* An exception that nobody can catch becomes an uncaughtException. */
void fibril__env_report_exception(fibril__env *self);
void fibril__env_unref(fibril__env *self);
/* Deletes a reference, if there is one. */
void fibril__drop_reference(napi_env env, napi_ref ref);

/* convert.c */
/* NULL when Node can't make the value; an exception of its own may be pending then. */
napi_value fibril__to_js(fibril__env *self, fibril_value value);
/* A description of an error for the runtime's makeError; FIBRIL__CALL_ERROR or _THROWN in *kind.
 * NULL stands for the error that no memory is left. */
napi_value fibril__error_to_js(fibril__env *self, fibril_value error, int *kind);
/* The same for why a value could not be made: the pending exception, which it takes. */
napi_value fibril__failure_to_js(fibril__env *self, int *kind);
/* The results are owned. From JavaScript into a scalar, string (UTF-8), buffer (copied) or
 * reference. */
fibril_value fibril__from_js(fibril__env *self, napi_value value);
/* The same, but what can't come back as it was becomes a reference. */
fibril_value fibril__from_js_exact(fibril__env *self, napi_value value);
fibril_value fibril__from_js_bytes(fibril__env *self, napi_value value, bool *is_bytes);
fibril_value fibril__string_from_js(fibril__env *self, napi_value value);
fibril_value fibril__reference_new(fibril__env *self, napi_value value);
void fibril__references_delete(fibril__env *self);
/* Takes the pending exception as an error of FIBRIL_EEXCEPTION; owned. */
fibril_value fibril__take_exception(fibril__env *self);
/* The same after a call that Node may have refused without one: then UV_ENOMEM. */
fibril_value fibril__take_failure(fibril__env *self);

/* object.c */
/* As fibril__to_js, of an object. */
napi_value fibril__object_to_js(fibril__env *self, fibril_value object);
void fibril__shapes_free(fibril__env *self);

/* export.c */
void fibril__exports_free(fibril__env *self);
bool fibril__exports_native(fibril__env *self, napi_value native);
void fibril__calls_flush(void *arg);

/* class.c */
/* No class can be added to from here on: the module's load has ended. */
void fibril__classes_seal(fibril__env *self);
void fibril__classes_free(fibril__env *self);
/* Releases what no object, method or reference has any more. */
void fibril__instances_release(fibril__env *self);
/* Every coroutine has ended: the objects that are left are collected, so to speak. */
void fibril__instances_end(fibril__env *self);

/* callback.c */
/* No call is taken any more; threads that wait for room don't any more. */
void fibril__callbacks_close(fibril__env *self);
void fibril__callbacks_end(fibril__env *self);
bool fibril__callback_native(fibril__env *self, napi_value native);

/* iterator.c */
bool fibril__iterator_native(fibril__env *self, napi_value native);
/* Ends what no object has any more. */
void fibril__iterators_collect(fibril__env *self);
/* Every coroutine has ended. */
void fibril__iterators_end(fibril__env *self);

/* call.c */
/* No promise will be settled any more. */
void fibril__js_waits_end(fibril__env *self);
bool fibril__call_native(fibril__env *self, napi_value native);

/* inspect.c */
bool fibril__inspect_native(fibril__env *self, napi_value native);

/* runner.c */
bool fibril__runner_native(fibril__env *self, napi_value native);

/* ioloop.c */
void fibril__ioloops_free(fibril__env *self);
bool fibril__ioloop_native(fibril__env *self, napi_value native);

#endif /* FIBRIL_NODE_NODE_H */
