/* An addon's module: makes an environment of all parts when it is loaded, and takes it down by an
 * async cleanup hook, which Node waits for. It alone knows what there is. */
#include "../core/loop/turn.h"
#include "calls/callbacks.h"
#include "classes/declare.h"
#include "env/gate.h"
#include "env/inspect.h"
#include "exports/names.h"
#include "iterators/request.h"
#include "runtime.h"
#include "tornado/ioloop.h"
#include "tornado/runner.h"
#include "values/adopt.h"
#include "values/bytes.h"
#include "values/references.h"
#include "values/shapes.h"

#include "runtime_js.h"

#include <signal.h>
#include <stdlib.h>

/* Code of the addon's that runs as a coroutine of its own: when it has been loaded, or ends. */
typedef struct {
  fibril_fn fn; /* NULL: there is none */
  void *arg;
} hook;

/* All of an environment: fibril__env, fibril__values, fibril__exports, fibril__calls,
 * fibril__js_waits, fibril__callbacks, fibril__iterators, fibril__classes and fibril__ioloops, each
 * at the beginning of the next. */
typedef struct {
  fibril__ioloops parts;
  napi_async_cleanup_hook_handle cleanup;
  napi_ref api; /* what lib/ uses of the runtime */
  struct {
    hook init, end;
  } hooks;
} whole_env;

/* ---- Teardown ---- */

static void on_loop_closed(void *arg) {
  fibril__env *self = arg;
  whole_env *whole = arg;
  napi_async_cleanup_hook_handle cleanup = whole->cleanup;
  fibril__classes_free(self);
  fibril__exports_free(self);
  fibril__ioloops_free(self);
  fibril__bytes_end(self);
  fibril__adopt_end(self);
  fibril__references_delete(self);
  fibril__shapes_free(self);
  fibril__js_waits_free(self);
  fibril__calls_free(self);
  fibril__drop_reference(self->env, whole->api);
  fibril__env_end(self); /* frees all of it, or whoever has the last reference does */
  napi_remove_async_cleanup_hook(cleanup);
}

/* Every coroutine has ended, the addon's own last one, too, and everything else still works: what
 * is left is ended, too. */
static void on_unwound(void *arg) {
  fibril__env *self = arg;
  fibril__visit visit = fibril__visit_begin(self->loop);
  fibril__gate_end(self);
  fibril__callbacks_end(self);
  fibril__iterators_end(self); /* generators among methods have instances, too */
  fibril__instances_end(self);
  fibril__visit_end(self->loop, visit);
}

/* The addon's data is gone, too. */
static void on_released(void *arg) {
  fibril__instances_close(arg);
}

/* From here on no JavaScript runs, and what waits for it is told so, masked or not; every coroutine
 * is cancelled and unwinds while Node turns the loop. */
static void on_cleanup(napi_async_cleanup_hook_handle hook, void *arg) {
  fibril__env *self = arg;
  (void)hook;
  fibril__env_exit(self);
  fibril__callbacks_close(self);
  fibril__js_waits_end(self);
  fibril__loop_close(self->loop, on_loop_closed, self);
}

/* ---- A turn ---- */

/* The end of an iteration, on the loop's stack: what was left for it. */
static void on_flush(void *arg) {
  fibril__env *self = arg;
  napi_handle_scope handles;
  if (self->exiting) {
    fibril__calls_drop(self);
    return;
  }
  if (napi_open_handle_scope(self->env, &handles) != napi_ok) return;
  fibril__iterators_collect(self);
  fibril__instances_flush(self);
  fibril__references_delete(self);
  fibril__calls_flush(self);
  napi_close_handle_scope(self->env, handles);
}

/* drain(): runs what became ready in this turn and settles what that finished. */
static napi_value native_drain(napi_env env, napi_callback_info info) {
  void *data;
  if (napi_get_cb_info(env, info, NULL, NULL, NULL, &data) != napi_ok) return NULL;
  fibril__env *self = data;
  if (self->exiting) return NULL;
  fibril__env_enter_js(self);
  fibril__loop_run_turn(self->loop);
  on_flush(self);
  fibril__env_leave_js(self);
  fibril__env_set_status(self, FIBRIL__STATUS_TURN, 0);
  return NULL;
}

/* ---- Making one ---- */

/* What the runtime's JavaScript uses of C. */
static bool make_native(fibril__env *self, napi_value *native) {
  static bool (*const parts[])(fibril__env *, napi_value) = {
      fibril__env_native,       fibril__adopt_native,     fibril__inspect_native,
      fibril__exports_native,   fibril__calls_native,     fibril__js_waits_native,
      fibril__callbacks_native, fibril__iterators_native, fibril__runner_native,
      fibril__ioloop_native,
  };
  napi_property_descriptor drain = {"drain", NULL, native_drain, NULL,
                                    NULL,    NULL, napi_default, self};
  if (napi_create_object(self->env, native) != napi_ok ||
      napi_define_properties(self->env, *native, 1, &drain) != napi_ok)
    return false;
  for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
    if (!parts[i](self, *native)) return false;
  return true;
}

/* Evaluates the runtime's JavaScript and keeps what is used of it. */
static bool run_runtime(fibril__env *self, napi_ref *kept_api) {
  napi_env env = self->env;
  napi_value source, function, native, runtime, api;
  return napi_create_string_utf8(env, fibril__runtime_js, fibril__runtime_js_length, &source) ==
             napi_ok &&
         napi_run_script(env, source, &function) == napi_ok && make_native(self, &native) &&
         napi_call_function(env, fibril__env_undefined(self), function, 1, &native, &runtime) ==
             napi_ok &&
         fibril__env_keep_functions(self, runtime) &&
         napi_get_named_property(env, runtime, "api", &api) == napi_ok &&
         napi_create_reference(env, api, 1, kept_api) == napi_ok;
}

/* The loop, and the hook that takes it down whatever fails from here on. */
static bool make_loop(whole_env *whole, napi_env env, fibril_loop **loop) {
  uv_loop_t *uv;
  if (napi_get_uv_event_loop(env, &uv) != napi_ok ||
      napi_add_async_cleanup_hook(env, on_cleanup, whole, &whole->cleanup) != napi_ok)
    return false;
  if (fibril_loop_new(uv, loop) != 0) {
    napi_remove_async_cleanup_hook(whole->cleanup);
    return false;
  }
  fibril__loop_set_upper(
      *loop, &(fibril__upper){
                 .flush = on_flush, .unwound = on_unwound, .released = on_released, .arg = whole});
  fibril__loop_keep_signal(*loop, SIGUSR1); /* starts Node's debugger */
  return true;
}

static whole_env *env_create(napi_env env) {
  whole_env *whole = calloc(1, sizeof *whole);
  fibril_loop *loop;
  if (whole == NULL || !make_loop(whole, env, &loop)) {
    free(whole);
    napi_throw_error(env, "ERR_FIBRIL_NO_LOOP",
                     "fibril: this environment has no libuv loop, or no memory is left");
    return NULL;
  }
  fibril__env *self = (fibril__env *)whole;
  if (fibril__env_begin(self, env, loop) && run_runtime(self, &whole->api)) return whole;
  bool pending = false;
  napi_is_exception_pending(env, &pending);
  if (!pending)
    napi_throw_error(env, "ERR_FIBRIL_RUNTIME", "fibril: the runtime could not be set up");
  return NULL;
}

/* ---- The addon's init ---- */

void fibril__module_runtime(fibril_module *module) {
  const whole_env *whole = (const whole_env *)module->env;
  napi_value api;
  if (fibril__module_failure(module) != 0) return;
  if (napi_get_reference_value(module->env->env, whole->api, &api) != napi_ok ||
      napi_set_named_property(module->env->env, module->exports, "runtime", api) != napi_ok)
    fibril__load_threw(module);
}

static int set_hook(fibril_module *module, hook *place, fibril_fn fn, void *arg,
                    const char *misused) {
  if (fn != NULL && place->fn == NULL) {
    *place = (hook){fn, arg};
    return 0;
  }
  napi_throw_error(module->env->env, "ERR_FIBRIL_MODULE", misused);
  module->root->failure = UV_EINVAL;
  return UV_EINVAL;
}

static whole_env *whole_of(const fibril_module *module) {
  return (whole_env *)module->env;
}

int fibril_module_init(fibril_module *module, fibril_fn fn, void *arg) {
  if (fibril__module_failure(module) != 0) return UV_EINVAL;
  int err = set_hook(module, &whole_of(module)->hooks.init, fn, arg,
                     "fibril_module_init: expected one function, once");
  if (err == 0) fibril__gate_shut(module->env);
  return err;
}

int fibril_module_end(fibril_module *module, fibril_fn fn, void *arg) {
  if (fibril__module_failure(module) != 0) return UV_EINVAL;
  return set_hook(module, &whole_of(module)->hooks.end, fn, arg,
                  "fibril_module_end: expected one function, once");
}

/* The load has succeeded. */
static void begin_hooks(whole_env *whole) {
  fibril__env *self = (fibril__env *)whole;
  const hook *init = &whole->hooks.init, *end = &whole->hooks.end;
  fibril__loop_set_last(self->loop, "fibril_module_end", end->fn, end->arg);
  if (init->fn == NULL) return;
  fibril__env_enter_js(self);
  fibril__gate_begin(self, init->fn, init->arg);
  fibril__env_leave_js(self);
}

static void load(fibril_module *module, void (*init)(fibril_module *module)) {
  fibril_loop *loop = module->env->loop;
  fibril__visit visit = fibril__visit_begin(loop);
  init(module);
  fibril__visit_end(loop, visit);
}

void *fibril__module_register(void *env, void *exports, void (*init)(fibril_module *module)) {
  whole_env *whole = env_create(env);
  if (whole == NULL) return NULL;
  fibril_module module = {.env = (fibril__env *)whole, .exports = exports, .root = &module};
  load(&module, init);
  napi_value result = module.failure == 0 ? fibril__module_exports(&module) : exports;
  /* For tools: under a symbol, so that nobody meets it. */
  if (module.failure == 0 &&
      (result == NULL || fibril__env_ask(module.env, FIBRIL__JS_PUBLISH, 1, &result) == NULL))
    fibril__load_threw(&module);
  fibril__classes_seal(module.env);
  fibril__module_end(&module);
  if (module.failure == 0) begin_hooks(whole);
  return result;
}
