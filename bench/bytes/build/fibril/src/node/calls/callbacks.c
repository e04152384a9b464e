/* Callbacks: JavaScript functions that other threads call. The loop's thread owns the function; a
 * thread owns a count, which outlives the environment. */
#include "callbacks.h"

#include "../../core/value/list.h"

#include <stdatomic.h>
#include <stdlib.h>

#define DEFAULT_LIMIT 256

struct fibril_callback {
  atomic_size_t users; /* references, and calls that are queued: these hold the process */
  fibril_poster *poster;
  uv_thread_t loop_thread;
  fibril__posted unused; /* posted when `users` has come to 0 */

  uv_mutex_t mutex;
  uv_cond_t room;
  size_t limit, outstanding; /* calls that are queued, run, or wait for their promise */
  bool closed;               /* no call is taken any more */

  /* The loop's thread alone: */
  fibril__env *env; /* NULL: the function is gone, and so may be the environment */
  fibril_callback *next, **link;
  fibril_value function; /* owned */
  bool holds;
  bool ended;     /* it has no user any more */
  size_t waiting; /* calls that run or wait for their promise: they hold the memory */
};

/* A call, from the thread that makes it to its end. */
typedef struct {
  fibril__posted posted;
  fibril__js_wait js;
  fibril_callback *callback;
  fibril_callback_done done;
  void *arg;
  size_t count;
  fibril_value args[];
} thread_call;

/* ---- Life ---- */

static void callback_destroy(fibril_callback *callback) {
  fibril_poster *poster = callback->poster;
  uv_cond_destroy(&callback->room);
  uv_mutex_destroy(&callback->mutex);
  free(callback);
  fibril_poster_unref(poster);
}

/* The environment, or its last user, is done with it: the loop's thread's part ends. */
static void callback_detach(fibril_callback *callback) {
  fibril__env *self = callback->env;
  FIBRIL__CHAIN_REMOVE(callback);
  callback->env = NULL;
  if (callback->holds) fibril__loop_release(self->loop);
  fibril_value_free(callback->function);
}

static void on_callback_unused(fibril__posted *posted) {
  fibril_callback *callback = FIBRIL__CONTAINER(fibril_callback, unused, posted);
  if (callback->env != NULL) callback_detach(callback);
  callback->ended = true;
  if (callback->waiting == 0) callback_destroy(callback);
}

static fibril_callback *callback_new(fibril__env *self, size_t limit) {
  fibril_callback *callback = calloc(1, sizeof *callback);
  if (callback == NULL) return NULL;
  if (uv_mutex_init(&callback->mutex) != 0) {
    free(callback);
    return NULL;
  }
  if (uv_cond_init(&callback->room) != 0) {
    uv_mutex_destroy(&callback->mutex);
    free(callback);
    return NULL;
  }
  atomic_init(&callback->users, 1);
  callback->poster = fibril_poster_ref(fibril__loop_poster(self->loop));
  callback->loop_thread = uv_thread_self();
  callback->unused = (fibril__posted){.run = on_callback_unused};
  callback->limit = limit;
  return callback;
}

fibril_callback *fibril_callback_new(fibril_value function,
                                     const fibril_callback_options *options) {
  static const fibril_callback_options defaults = {.size = sizeof defaults};
  fibril__env *self;
  if (options == NULL) options = &defaults;
  if (options->size != sizeof *options || fibril__function_env(function, &self) != 0) return NULL;
  fibril_callback *callback =
      callback_new(self, options->limit == 0 ? DEFAULT_LIMIT : options->limit);
  if (callback == NULL) return NULL;
  callback->env = self;
  callback->function = fibril_value_dup(function);
  callback->holds = !options->unref;
  if (callback->holds) fibril__loop_hold(self->loop);
  fibril__callbacks *callbacks = fibril__callbacks_of(self);
  FIBRIL__CHAIN_ADD(&callbacks->newest, callback);
  return callback;
}

fibril_callback *fibril_callback_ref(fibril_callback *callback) {
  atomic_fetch_add_explicit(&callback->users, 1, memory_order_relaxed);
  return callback;
}

/* Where the loop is gone everything else is, too: nobody but this thread knows of it. */
void fibril_callback_unref(fibril_callback *callback) {
  if (atomic_fetch_sub_explicit(&callback->users, 1, memory_order_acq_rel) != 1) return;
  fibril_poster *poster = fibril_poster_ref(callback->poster);
  if (fibril__post(poster, &callback->unused) != 0) callback_destroy(callback);
  fibril_poster_unref(poster);
}

static void callback_hold(fibril_callback *callback, bool held) {
  if (callback->env == NULL || callback->holds == held) return;
  callback->holds = held;
  (held ? fibril__loop_hold : fibril__loop_release)(callback->env->loop);
}

void fibril_callback_hold(fibril_callback *callback) {
  callback_hold(callback, true);
}

void fibril_callback_unhold(fibril_callback *callback) {
  callback_hold(callback, false);
}

fibril_value fibril_callback_function(const fibril_callback *callback) {
  return callback->env == NULL ? fibril_undefined() : fibril__value_borrow(callback->function);
}

/* ---- The environment's end ---- */

void fibril__callbacks_close(fibril__env *self) {
  fibril_callback *callback = fibril__callbacks_of(self)->newest;
  for (; callback != NULL; callback = callback->next) {
    uv_mutex_lock(&callback->mutex);
    callback->closed = true;
    uv_cond_broadcast(&callback->room);
    uv_mutex_unlock(&callback->mutex);
  }
}

/* closeCallbacks() */
static napi_value native_close_callbacks(napi_env env, napi_callback_info info) {
  void *self;
  if (napi_get_cb_info(env, info, NULL, NULL, NULL, &self) == napi_ok)
    fibril__callbacks_close(self);
  return NULL;
}

bool fibril__callbacks_native(fibril__env *self, napi_value native) {
  napi_property_descriptor close = {
      "closeCallbacks", NULL, native_close_callbacks, NULL, NULL, NULL, napi_default, self};
  return napi_define_properties(self->env, native, 1, &close) == napi_ok;
}

void fibril__callbacks_end(fibril__env *self) {
  fibril__callbacks *callbacks = fibril__callbacks_of(self);
  while (callbacks->newest != NULL) callback_detach(callbacks->newest);
}

/* ---- Calls ---- */

static void give_room(fibril_callback *callback) {
  uv_mutex_lock(&callback->mutex);
  callback->outstanding--;
  uv_cond_signal(&callback->room);
  uv_mutex_unlock(&callback->mutex);
}

static void thread_call_free(thread_call *call) {
  for (size_t i = 0; i < call->count; i++) fibril_value_free(call->args[i]);
  free(call);
}

/* The call has come to its end; `result` is owned. */
static void thread_call_end(thread_call *call, fibril_value result) {
  give_room(call->callback);
  if (call->done != NULL) call->done(fibril__value_borrow(result), call->arg);
  fibril_value_free(result);
  thread_call_free(call);
}

static void on_promise(fibril__js_wait *js, fibril_value result) {
  thread_call *call = FIBRIL__CONTAINER(thread_call, js, js);
  fibril_callback *callback = call->callback;
  fibril__js_wait_unlink(js);
  thread_call_end(call, result);
  if (--callback->waiting == 0 && callback->ended) callback_destroy(callback);
}

/* Errors that the call's maker does not hear of go to the process; to the log, when JavaScript was
 * not even reached. */
static void thread_call_invoke(fibril__env *self, thread_call *call) {
  fibril_callback *callback = call->callback;
  fibril__invocation invocation = {
      .env = self,
      .function = fibril__value_borrow(callback->function),
      .args = call->args,
      .count = call->count,
      .wait = &call->js,
      .forget = call->done == NULL,
  };
  int err = fibril__js_wait_link(self, &call->js);
  if (err != 0) {
    if (invocation.forget)
      fibril__loop_log(self->loop, "a function could not be called", fibril__error_code(err));
    thread_call_end(call, fibril__error_code(err));
    return;
  }
  bool forget = invocation.forget;
  callback->waiting++;
  fibril__invoke(&invocation);
  if (invocation.pending) return;
  int code = fibril_error_code(invocation.result);
  if (forget && code != 0 && code != FIBRIL_ECLOSED)
    fibril__loop_log(self->loop, "a function could not be called", invocation.result);
  on_promise(&call->js, invocation.result);
}

static void run_thread_call(fibril__posted *posted) {
  thread_call *call = FIBRIL__CONTAINER(thread_call, posted, posted);
  fibril_callback *callback = call->callback;
  fibril__env *self = callback->env;
  if (self == NULL || self->exiting)
    thread_call_end(call, fibril__error_code(UV_ECANCELED));
  else
    thread_call_invoke(self, call);
  fibril_callback_unref(callback);
}

/* Waits for room if it may: the loop's thread would wait for itself. 0, UV_EAGAIN, UV_ECANCELED. */
static int take_room(fibril_callback *callback, bool wait) {
  int err = 0;
  uv_thread_t here = uv_thread_self();
  if (uv_thread_equal(&here, &callback->loop_thread)) wait = false;
  uv_mutex_lock(&callback->mutex);
  while (wait && !callback->closed && callback->outstanding >= callback->limit)
    uv_cond_wait(&callback->room, &callback->mutex);
  if (callback->closed)
    err = UV_ECANCELED;
  else if (callback->outstanding >= callback->limit)
    err = UV_EAGAIN;
  else
    callback->outstanding++;
  uv_mutex_unlock(&callback->mutex);
  return err;
}

static int submit_call(fibril_callback *callback, const fibril_value *args, size_t count,
                       fibril_callback_done done, void *arg, bool wait) {
  thread_call *call = malloc(sizeof *call + count * sizeof *args);
  if (call == NULL) {
    for (size_t i = 0; i < count; i++) fibril_value_free(fibril_value_take(args[i]));
    return UV_ENOMEM;
  }
  *call = (thread_call){.posted.run = run_thread_call,
                        .js.settled = on_promise,
                        .callback = callback,
                        .done = done,
                        .arg = arg,
                        .count = count};
  for (size_t i = 0; i < count; i++) call->args[i] = fibril_value_take(args[i]);
  int err = take_room(callback, wait);
  if (err == 0) {
    fibril_callback_ref(callback);
    err = fibril__post(callback->poster, &call->posted);
    if (err == 0) return 0;
    give_room(callback);
    fibril_callback_unref(callback);
  }
  thread_call_free(call);
  return err;
}

int fibril_callback_send(fibril_callback *callback, const fibril_value *args, size_t count,
                         fibril_callback_done done, void *arg) {
  return submit_call(callback, args, count, done, arg, true);
}

int fibril_callback_trysend(fibril_callback *callback, const fibril_value *args, size_t count,
                            fibril_callback_done done, void *arg) {
  return submit_call(callback, args, count, done, arg, false);
}
