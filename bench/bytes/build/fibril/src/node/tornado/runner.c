/* The Runner: drives a generator to its end, as Tornado's does. It owns the loop that goes on while
 * what was yielded is there already, without recursion; one step, which only JavaScript can do
 * cheaply, is a function that lib/features.js hands over.
 *
 * With FIBRIL_RUNNER=native every resume comes through here. By default the step function resumes a
 * generator itself between two promises of V8, because crossing there costs more than all the rest
 * (docs/decisions). */
#include "runner.h"

#include <stdlib.h>

/* What lib/co/modes.js says in numbers: what a step answers when it is to be called again, and when
 * its run has ended; and the modes in which a run begins and goes on. */
enum { STEP_READY, STEP_DONE, MODE_NEXT, MODE_STORED, NUMBERS };

typedef struct {
  fibril__env *env;
  napi_ref step;
  int32_t numbers[NUMBERS];
  napi_ref functions; /* kept: they use the class even when nobody holds the object any more */
} runner_class;

typedef struct {
  bool running;  /* a step is on the stack */
  bool finished; /* the generator has returned or thrown */
} runner;

static void finalize_runner(napi_env env, void *data, void *hint) {
  (void)env;
  (void)hint;
  free(data);
}

static void finalize_runner_class(napi_env env, void *data, void *hint) {
  runner_class *class = data;
  (void)hint;
  fibril__drop_reference(env, class->step);
  fibril__drop_reference(env, class->functions);
  free(class);
}

/* Runner.run: one step after the other while the generator need not wait. An exception of the step
 * itself stays pending: it never throws for what the generator does. */
static void run_steps(const runner_class *class, runner *self, napi_value js_run, napi_value mode,
                      napi_value value) {
  napi_env env = class->env->env;
  napi_value undefined, step, code, args[3] = {js_run, mode, value};
  int32_t ready = class->numbers[STEP_READY], done = class->numbers[STEP_DONE], answer = ready;
  if (self->running || self->finished) return;
  if (napi_get_undefined(env, &undefined) != napi_ok ||
      napi_get_reference_value(env, class->step, &step) != napi_ok)
    return;
  self->running = true;
  while (answer == ready) {
    napi_handle_scope handles;
    if (napi_open_handle_scope(env, &handles) != napi_ok) break;
    if (fibril__env_call(class->env, step, 3, args, &code) != napi_ok ||
        napi_get_value_int32(env, code, &answer) != napi_ok)
      answer = done;
    napi_close_handle_scope(env, handles);
    if (answer == ready) {
      napi_create_int32(env, class->numbers[MODE_STORED], &args[1]);
      args[2] = undefined;
    }
  }
  self->running = false;
  self->finished = answer == done;
}

/* Makes the Runner of a run, which lives as long as the run. NULL with an exception pending. */
static runner *runner_new(napi_env env, napi_value js_run) {
  runner *self = calloc(1, sizeof *self);
  if (self != NULL && napi_wrap(env, js_run, self, finalize_runner, NULL, NULL) == napi_ok)
    return self;
  free(self);
  napi_throw_error(env, "ERR_MEMORY_ALLOCATION_FAILED", "fibril: no memory for a runner");
  return NULL;
}

/* start(run): performs the first segment. */
static napi_value native_start_run(napi_env env, napi_callback_info info) {
  napi_value argv[1], mode, undefined;
  size_t argc = 1;
  void *data;
  if (napi_get_cb_info(env, info, &argc, argv, NULL, &data) != napi_ok) return NULL;
  const runner_class *class = data;
  runner *self = runner_new(env, argv[0]);
  if (self == NULL) return NULL;
  napi_get_undefined(env, &undefined);
  napi_create_int32(env, class->numbers[MODE_NEXT], &mode);
  run_steps(class, self, argv[0], mode, undefined);
  return NULL;
}

/* resume(run, mode, value) */
static napi_value native_resume_run(napi_env env, napi_callback_info info) {
  napi_value argv[3];
  size_t argc = 3;
  void *data, *self;
  if (napi_get_cb_info(env, info, &argc, argv, NULL, &data) != napi_ok) return NULL;
  /* A run that relays a member of a yielded array starts by being resumed. */
  if (napi_unwrap(env, argv[0], &self) != napi_ok) self = runner_new(env, argv[0]);
  if (self == NULL) return NULL;
  run_steps(data, self, argv[0], argv[1], argv[2]);
  return NULL;
}

/* createRunner(step, ...numbers): {start, resume} */
static napi_value native_create_runner(napi_env env, napi_callback_info info) {
  napi_value argv[1 + NUMBERS], result;
  size_t argc = 1 + NUMBERS;
  void *data;
  if (napi_get_cb_info(env, info, &argc, argv, NULL, &data) != napi_ok) return NULL;
  runner_class *class = calloc(1, sizeof *class);
  if (class == NULL) {
    fibril__throw_failure(env);
    return NULL;
  }
  class->env = data;
  for (int i = 0; i < NUMBERS; i++) napi_get_value_int32(env, argv[1 + i], &class->numbers[i]);
  napi_property_descriptor properties[] = {
      {"start", NULL, native_start_run, NULL, NULL, NULL, napi_default, class},
      {"resume", NULL, native_resume_run, NULL, NULL, NULL, napi_default, class},
  };
  if (napi_create_object(env, &result) != napi_ok ||
      napi_add_finalizer(env, result, class, finalize_runner_class, NULL, NULL) != napi_ok) {
    free(class);
    fibril__throw_failure(env);
    return NULL;
  }
  if (napi_create_reference(env, argv[0], 1, &class->step) == napi_ok &&
      napi_create_reference(env, result, 1, &class->functions) == napi_ok &&
      napi_define_properties(env, result, 2, properties) == napi_ok)
    return result;
  fibril__throw_failure(env);
  return NULL;
}

bool fibril__runner_native(fibril__env *self, napi_value native) {
  napi_property_descriptor create = {"createRunner", NULL, native_create_runner, NULL,
                                     NULL,           NULL, napi_default,         self};
  return napi_define_properties(self->env, native, 1, &create) == napi_ok;
}
