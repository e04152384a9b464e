/* The environment: what one napi_env has, and how C calls into it. All of it belongs to the loop's
 * stack.
 *
 * This is the first part of it. Each layer above has a part of its own, a struct that begins with
 * that of the layer below: so the address of one is that of all, a layer finds its own behind a
 * fibril__env by a cast, and knows of nothing above. */
#ifndef FIBRIL_NODE_ENV_ENV_H
#define FIBRIL_NODE_ENV_ENV_H

#include "../../core/loop/loop.h"
#include "shared.h"

#include <node_api.h>

typedef struct fibril__env fibril__env;

/* What calls wait for that come early: see gate.h. */
typedef struct fibril__gate {
  fibril_future *init; /* of the module's; NULL: it has not begun, or there is none */
  size_t waiting;      /* calls that have not begun their own code */
} fibril__gate;

struct fibril__env {
  napi_env env;
  fibril_loop *loop; /* NULL once closed */
  int32_t *status;   /* the words of shared.h, which JavaScript has, too; */
  double *immediate; /* and the last call's result when it is a number */
  unsigned in_js; /* JavaScript that this environment called, or that called it, is on the stack */
  bool exiting;   /* no call into JavaScript any more */
  bool barred;    /* calls of exported functions don't just begin: it exits, or see gate.h */
  fibril__gate gate;
  size_t refs; /* reference values, instances, and the environment itself */
  napi_async_context async;
  napi_ref resource; /* of `async` */
  napi_ref functions[FIBRIL__JS_FUNCTIONS];
  napi_ref shared[2]; /* keep `status` and `immediate` */
};

/* ---- Its life: for module.c ---- */

/* What it has before there is a runtime. False: an exception may be pending. */
bool fibril__env_begin(fibril__env *self, napi_env env, fibril_loop *loop);
/* What the runtime's JavaScript uses of it goes to the object that it gets. */
bool fibril__env_native(fibril__env *self, napi_value native);
/* Keeps what C calls of the runtime. */
bool fibril__env_keep_functions(fibril__env *self, napi_value runtime);
/* No JavaScript runs from here on. */
void fibril__env_exit(fibril__env *self);
/* Its loop has closed: the references go, its memory with the last of `refs`. */
void fibril__env_end(fibril__env *self);

static inline void fibril__env_ref(fibril__env *self) {
  self->refs++;
}
void fibril__env_unref(fibril__env *self);

/* ---- What JavaScript reads behind a call ---- */

static inline void fibril__env_set_status(fibril__env *self, int word, int32_t value) {
  self->status[word] = value;
}

/* The outcome of a call, and its number when it is one. */
static inline void fibril__env_set_result(fibril__env *self, int kind, double number) {
  self->status[FIBRIL__STATUS_RESULT] = kind;
  if (kind == FIBRIL__CALL_NUMBER) *self->immediate = number;
}

/* An array of `count` elements in memory that JavaScript and C share, as a property of `native`. */
bool fibril__env_share(fibril__env *self, napi_value native, const char *name,
                       napi_typedarray_type type, size_t count, size_t size, void *data,
                       napi_ref *ref);

/* ---- Calling into JavaScript ---- */

/* Around whatever may run JavaScript. */
static inline void fibril__env_enter_js(fibril__env *self) {
  self->in_js++;
}
static inline void fibril__env_leave_js(fibril__env *self) {
  self->in_js--;
}

napi_value fibril__env_undefined(fibril__env *self);
napi_value fibril__env_function(fibril__env *self, int function);
/* Calls a function that has to hear of something: what Node refuses without running it, it is asked
 * again, twice. */
napi_status fibril__env_call(fibril__env *self, napi_value function, size_t argc,
                             const napi_value *argv, napi_value *result);
/* Calls one of the runtime's functions, once; NULL when that has failed. */
napi_value fibril__env_ask(fibril__env *self, int function, size_t argc, const napi_value *argv);
/* Before and after JavaScript is called from the event loop itself: a callback scope, in which
 * promise jobs run at the end. NULL where JavaScript is on the stack already, which runs them
 * itself. */
napi_callback_scope fibril__env_open_scope(fibril__env *self);
void fibril__env_close_scope(fibril__env *self, napi_callback_scope scope);
/* An exception that nobody can catch becomes an uncaughtException. */
void fibril__env_report_exception(fibril__env *self);
/* The pending exception, which it takes; NULL: there is none. */
napi_value fibril__env_take_exception(fibril__env *self);
/* Whether it ends: Node refuses to run JavaScript some turns before it says so. */
bool fibril__env_is_ending(fibril__env *self);

/* Throws, unless an exception is pending, in a function that JavaScript called. */
void fibril__throw_failure(napi_env env);
/* Deletes a reference, if there is one. */
void fibril__drop_reference(napi_env env, napi_ref ref);

#endif /* FIBRIL_NODE_ENV_ENV_H */
