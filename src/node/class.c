/* Classes. An object in JavaScript has an instance behind it: a counted header with the struct of
 * the addon's author. The object has one reference, each running method another. */
#include "iterator.h"

#include <stdalign.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct fibril_class {
  fibril_class *next;
  fibril_module *module; /* NULL: sealed */
  fibril__env *env;
  fibril__export *constructor;
  size_t state_size;
  void (*release)(void *state);
  napi_type_tag tag;
  napi_value js; /* valid during the module's load */
};

struct fibril__instance {
  fibril__instance *next, **link; /* in the environment's instances; `next` also in `unused` */
  fibril__env *env;               /* counted */
  void (*release)(void *state);
  size_t refs;
  bool wrapped; /* there is an object, whose finalizer will come */
  bool released;
  alignas(max_align_t) char state[];
};

/* ---- Instances ---- */

static fibril__instance *instance_of_state(void *state) {
  return FIBRIL__CONTAINER(fibril__instance, state, state);
}

static fibril__instance *instance_new(const fibril_class *cls) {
  fibril__env *self = cls->env;
  fibril__instance *instance = cls->state_size < SIZE_MAX - sizeof *instance
                                   ? calloc(1, sizeof *instance + cls->state_size)
                                   : NULL;
  if (instance == NULL) return NULL;
  instance->env = self;
  instance->release = cls->release;
  instance->refs = 1;
  instance->next = self->instances;
  instance->link = &self->instances;
  if (instance->next != NULL) instance->next->link = &instance->next;
  self->instances = instance;
  self->refs++;
  return instance;
}

/* The memory is the finalizer's while there is an object: it gets the pointer. */
static void release(fibril__instance *instance) {
  fibril__env *self = instance->env;
  fibril_loop *here = fibril__loop_here;
  fibril__loop_here = self->loop;
  if (instance->release != NULL) instance->release(instance->state);
  fibril__loop_here = here;
  instance->released = true;
  instance->env = NULL;
  if (!instance->wrapped) free(instance);
  fibril__env_unref(self);
}

void fibril__instances_release(fibril__env *self) {
  while (self->unused != NULL) {
    fibril__instance *instance = self->unused;
    self->unused = instance->next;
    release(instance);
  }
}

void fibril__instance_ref(fibril__instance *instance) {
  instance->refs++;
}

/* Here may be a coroutine's stack, and the method that was the last one still at its end. */
void fibril__instance_unref(fibril__instance *instance) {
  fibril__env *self = instance->env;
  if (--instance->refs > 0) return;
  *instance->link = instance->next;
  if (instance->next != NULL) instance->next->link = instance->link;
  instance->next = self->unused;
  self->unused = instance;
  if (self->unwound) {
    fibril__instances_release(self);
  } else {
    self->loop->flush_wanted = true;
    fibril__loop_activate(self->loop);
  }
}

/* The object has been collected, or the environment is about to be gone altogether. */
static void finalize(napi_env env, void *data, void *hint) {
  fibril__instance *instance = data;
  (void)env;
  (void)hint;
  instance->wrapped = false;
  if (instance->released)
    free(instance);
  else if (!instance->env->unwound)
    fibril__instance_unref(instance);
}

void fibril__instances_end(fibril__env *self) {
  self->unwound = true;
  fibril__iterators_end(self);
  fibril__instances_release(self);
  fibril__instance *instance = self->instances, *next;
  if (instance != NULL) fibril__instance_ref(instance);
  for (; instance != NULL; instance = next) {
    next = instance->next;
    if (next != NULL) fibril__instance_ref(next); /* this one may release it */
    if (instance->wrapped) fibril__instance_unref(instance);
    fibril__instance_unref(instance);
  }
}

void fibril_this_ref(void *state) {
  fibril__instance_ref(instance_of_state(state));
}

void fibril_this_unref(void *state) {
  fibril__instance_unref(instance_of_state(state));
}

void *fibril_this(const fibril_args *args) {
  return args->instance == NULL ? NULL : args->instance->state;
}

fibril__instance *fibril__instance_of(const fibril_class *cls, napi_value object,
                                      fibril_value *error) {
  napi_env env = cls->env->env;
  bool ours = false;
  void *instance;
  if (napi_check_object_type_tag(env, object, &cls->tag, &ours) == napi_ok && ours &&
      napi_unwrap(env, object, &instance) == napi_ok)
    return instance;
  *error = fibril_error_type("TypeError", "ERR_INVALID_THIS",
                             "Value of \"this\" must be of type %s", fibril__class_name(cls));
  return NULL;
}

/* ---- Constructors and getters: calls that end at once ---- */

static fibril_value call_callee(void *arg) {
  fibril_args *args = arg;
  return args->callee->fn(args);
}

/* Runs fn and frees the arguments; the result is owned. */
static fibril_value call_now(fibril__env *self, fibril_args *args) {
  fibril_loop *here = fibril__loop_here;
  fibril__loop_here = self->loop;
  self->in_js++;
  fibril_value result = fibril_value_take(
      fibril__exceptions_watched() ? fibril__catch(call_callee, args) : call_callee(args));
  self->in_js--;
  fibril__loop_here = here;
  self->status[FIBRIL__STATUS_TURN] = fibril__queued(self->loop) > 0 || self->calls.count > 0;
  fibril__args_free(args);
  return result;
}

static napi_value give(fibril__env *self, fibril_value result) {
  napi_value out;
  self->status[FIBRIL__STATUS_RESULT] = fibril__result_to_js(self, result, self->immediate, &out);
  return out;
}

/* Makes the object's instance, and calls the constructor: undefined, or what went wrong. */
static fibril_value construct_with(fibril_class *cls, fibril_args *args, napi_value object) {
  fibril__env *self = cls->env;
  fibril__instance *instance = instance_new(cls);
  if (instance == NULL) {
    fibril__args_free(args);
    return fibril__error_code(UV_ENOMEM);
  }
  args->instance = instance;
  fibril__instance_ref(instance);
  fibril_value result = fibril_undefined();
  if (args->callee->fn != NULL)
    result = call_now(self, args);
  else
    fibril__args_free(args);
  if (!fibril__is_error(result)) {
    fibril_value_free(result);
    if (napi_type_tag_object(self->env, object, &cls->tag) == napi_ok &&
        napi_wrap(self->env, object, instance, finalize, NULL, NULL) == napi_ok) {
      instance->wrapped = true;
      return fibril_undefined();
    }
    result = fibril__take_failure(self);
  }
  fibril__instance_unref(instance);
  return result;
}

static napi_value construct(napi_env env, napi_callback_info info) {
  napi_value argv[FIBRIL__PARAMETERS_MAX], object, error = NULL;
  size_t argc = FIBRIL__PARAMETERS_MAX;
  void *data;
  if (napi_get_cb_info(env, info, &argc, argv, &object, &data) != napi_ok) return NULL;
  fibril_class *cls = data;
  fibril__env *self = cls->env;
  if (self->exiting) return give(self, fibril__error_code(FIBRIL_ECLOSED));
  fibril__call *call = malloc(cls->constructor->room);
  if (call == NULL) return give(self, fibril__error_code(UV_ENOMEM));
  call->args = (fibril_args){cls->constructor, call->values, NULL};
  int kind = fibril__args_decode(&call->args, argv, &error);
  if (kind == FIBRIL__CALL_PENDING)
    error = give(self, construct_with(cls, &call->args, object));
  else
    self->status[FIBRIL__STATUS_RESULT] = kind;
  free(call);
  return error;
}

static napi_value get(napi_env env, napi_callback_info info) {
  napi_value object;
  size_t argc = 0;
  void *data;
  fibril_value error;
  if (napi_get_cb_info(env, info, &argc, NULL, &object, &data) != napi_ok) return NULL;
  const fibril__export *callee = data;
  fibril__env *self = callee->env;
  if (self->exiting) return give(self, fibril__error_code(FIBRIL_ECLOSED));
  fibril__instance *instance = fibril__instance_of(callee->cls, object, &error);
  if (instance == NULL) return give(self, error);
  fibril_args args = {callee, NULL, instance};
  fibril__instance_ref(instance);
  return give(self, call_now(self, &args));
}

/* ---- Declaring ---- */

const char *fibril__class_name(const fibril_class *cls) {
  return cls->constructor->name;
}

void fibril__classes_seal(fibril__env *self) {
  for (fibril_class *cls = self->classes; cls != NULL; cls = cls->next) cls->module = NULL;
}

void fibril__classes_free(fibril__env *self) {
  while (self->classes != NULL) {
    fibril_class *cls = self->classes;
    self->classes = cls->next;
    free(cls);
  }
}

/* Two classes never have the same: it holds the address of this one. */
static napi_type_tag tag_of(const fibril_class *cls) {
  return (napi_type_tag){0x66696272696c2063u, (uint64_t)(uintptr_t)cls};
}

static bool define_class(fibril_class *cls) {
  fibril__env *self = cls->env;
  napi_env env = self->env;
  const char *name = fibril__class_name(cls);
  napi_value undefined, args[2];
  return napi_get_undefined(env, &undefined) == napi_ok &&
         napi_create_function(env, name, NAPI_AUTO_LENGTH, construct, cls, &args[0]) == napi_ok &&
         napi_create_string_utf8(env, name, NAPI_AUTO_LENGTH, &args[1]) == napi_ok &&
         napi_call_function(env, undefined, fibril__env_function(self, FIBRIL__JS_CREATE_CLASS), 2,
                            args, &cls->js) == napi_ok &&
         napi_set_named_property(env, cls->module->exports, name, cls->js) == napi_ok;
}

fibril_class *fibril_export_class(fibril_module *module, const char *name,
                                  const fibril_class_options *options) {
  static const char what[] = "fibril_export_class";
  if (module->failed) return NULL;
  if (options != NULL && options->size != sizeof *options) {
    fibril__fail_load(module, what, UV_EINVAL, name, NULL, 0);
    return NULL;
  }
  fibril__export *entry =
      fibril__export_new(module, what, FIBRIL__FORM_CLASS, NULL, name, NULL, NULL);
  if (entry == NULL) return NULL;
  fibril_class *cls = calloc(1, sizeof *cls);
  if (cls == NULL) {
    fibril__fail_load(module, what, UV_ENOMEM, name, NULL, 0);
    return NULL;
  }
  cls->module = module;
  cls->env = module->env;
  cls->constructor = entry;
  cls->state_size = options == NULL ? 0 : options->state_size;
  cls->release = options == NULL ? NULL : options->release;
  cls->tag = tag_of(cls);
  cls->next = cls->env->classes;
  cls->env->classes = cls;
  entry->cls = cls;
  entry->light = false;
  if (define_class(cls)) return cls;
  fibril__fail_load(module, what, UV_ENOMEM, name, NULL, 0);
  return NULL;
}

/* A member's entry, or NULL: the load has failed, or has ended. */
static fibril__export *member_new(fibril_class *cls, const char *what, fibril__form form,
                                  const char *signature, fibril_export_fn fn,
                                  const fibril_export_options *options) {
  if (cls == NULL || cls->module == NULL || cls->module->failed) return NULL;
  return fibril__export_new(cls->module, what, form, cls, signature, fn, options);
}

/* The runtime's function makes JavaScript's side of a member: from `count` arguments and the class.
 */
static int define_member(fibril_class *cls, const char *what, const fibril__export *entry,
                         int function, size_t count, napi_value *args) {
  napi_env env = cls->env->env;
  napi_value undefined;
  args[count] = cls->js;
  if (napi_get_undefined(env, &undefined) == napi_ok &&
      napi_call_function(env, undefined, fibril__env_function(cls->env, function), count + 1, args,
                         NULL) == napi_ok)
    return 0;
  return fibril__fail_load(cls->module, what, UV_ENOMEM, entry->signature.text, NULL, 0);
}

/* That would no longer be the class. */
static bool is_constructor(const fibril__export *entry) {
  static const char name[] = "constructor";
  return entry->signature.name_length == sizeof name - 1 &&
         memcmp(entry->signature.text, name, sizeof name - 1) == 0;
}

int fibril_class_constructor(fibril_class *cls, const char *signature, fibril_export_fn fn) {
  static const char what[] = "fibril_class_constructor";
  const fibril__parameter *key;
  fibril__export *entry = member_new(cls, what, FIBRIL__FORM_CONSTRUCTOR, signature, fn, NULL);
  if (entry == NULL) return UV_EINVAL;
  if (fibril__signature_signal(&entry->signature, &key) >= 0)
    return fibril__fail_load(cls->module, what, UV_EINVAL, signature, "no AbortSignal", 0);
  if (cls->constructor->form == FIBRIL__FORM_CONSTRUCTOR)
    return fibril__fail_load(cls->module, what, UV_EINVAL, signature, "one constructor", 0);
  napi_value args[FIBRIL__EXPORT_ARGS];
  if (!fibril__export_args(entry, construct, args))
    return fibril__fail_load(cls->module, what, UV_ENOMEM, signature, NULL, 0);
  napi_property_descriptor length = {
      .utf8name = "length", .value = args[2], .attributes = napi_configurable};
  if (napi_define_properties(cls->env->env, cls->js, 1, &length) != napi_ok)
    return fibril__fail_load(cls->module, what, UV_ENOMEM, signature, NULL, 0);
  cls->constructor = entry;
  return 0;
}

int fibril_class_method(fibril_class *cls, const char *signature, fibril_export_fn fn,
                        const fibril_export_options *options) {
  static const char what[] = "fibril_class_method";
  napi_value args[FIBRIL__EXPORT_ARGS + 1];
  fibril__export *entry = member_new(cls, what, FIBRIL__FORM_FUNCTION, signature, fn, options);
  if (entry == NULL) return UV_EINVAL;
  if (is_constructor(entry))
    return fibril__fail_load(cls->module, what, UV_EINVAL, signature, "another name", 0);
  if (!fibril__export_args(entry, fibril__method_begin, args))
    return fibril__fail_load(cls->module, what, UV_ENOMEM, signature, NULL, 0);
  return define_member(cls, what, entry, FIBRIL__JS_ADD_METHOD, FIBRIL__EXPORT_ARGS, args);
}

static int add_generator(fibril_class *cls, const char *what, fibril__form form,
                         const char *signature, fibril_export_generator_fn fn,
                         const fibril_export_options *options, int js) {
  napi_value args[FIBRIL__EXPORT_ARGS + 1];
  if (cls == NULL || cls->module == NULL || cls->module->failed) return UV_EINVAL;
  fibril__export *entry =
      fibril__generator_new(cls->module, what, form, cls, signature, fn, options);
  if (entry == NULL) return UV_EINVAL;
  if (is_constructor(entry))
    return fibril__fail_load(cls->module, what, UV_EINVAL, signature, "another name", 0);
  if (!fibril__export_args(entry, fibril__iterator_begin, args))
    return fibril__fail_load(cls->module, what, UV_ENOMEM, signature, NULL, 0);
  return define_member(cls, what, entry, js, FIBRIL__EXPORT_ARGS, args);
}

int fibril_class_generator(fibril_class *cls, const char *signature, fibril_export_generator_fn fn,
                           const fibril_export_options *options) {
  return add_generator(cls, "fibril_class_generator", FIBRIL__FORM_GENERATOR, signature, fn,
                       options, FIBRIL__JS_WRAP_GENERATOR);
}

int fibril_class_async_generator(fibril_class *cls, const char *signature,
                                 fibril_export_generator_fn fn,
                                 const fibril_export_options *options) {
  return add_generator(cls, "fibril_class_async_generator", FIBRIL__FORM_ASYNC_GENERATOR, signature,
                       fn, options, FIBRIL__JS_WRAP_ASYNC_GENERATOR);
}

int fibril_class_getter(fibril_class *cls, const char *signature, fibril_export_fn fn) {
  static const char what[] = "fibril_class_getter";
  napi_value args[FIBRIL__EXPORT_ARGS + 1];
  fibril__export *entry = member_new(cls, what, FIBRIL__FORM_GETTER, signature, fn, NULL);
  if (entry == NULL) return UV_EINVAL;
  if (is_constructor(entry))
    return fibril__fail_load(cls->module, what, UV_EINVAL, signature, "another name", 0);
  if (!fibril__export_args(entry, get, args))
    return fibril__fail_load(cls->module, what, UV_ENOMEM, signature, NULL, 0);
  return define_member(cls, what, entry, FIBRIL__JS_ADD_GETTER, 2, args);
}
