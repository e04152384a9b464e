/* Instances: made by a constructor or by C, released on the loop's stack when nobody has them any
 * more. */
#include "instances.h"

#include "../../core/scheduler/scheduler.h"
#include "../../core/value/list.h"

#include <stdlib.h>

/* No struct has more than a TiB. */
#define MEMORY_MAX ((uint64_t)1 << 40)

typedef struct {
  fibril__box box;
  fibril__instance *instance;
} instance_box;

static fibril__instance *instance_of_state(void *state) {
  return FIBRIL__CONTAINER(fibril__instance, state, state);
}

/* ---- The end of one ---- */

/* What still refers to one that has been released finds it so; finalizers get pointers into it. */
static void free_unless_known(fibril__instance *instance) {
  if (instance->objects == 0 && instance->refs == 0) free(instance);
}

/* V8 takes no more at once. */
static int64_t clamp(int64_t bytes) {
  const int64_t most = (int64_t)1 << 59;
  return bytes > most ? most : bytes < -most ? -most : bytes;
}

/* Node hears of it at the end of the turn, on the loop's stack. */
static void note_memory(fibril__env *self, size_t before, size_t after) {
  int64_t *untold = &fibril__values_of(self)->instances.memory;
  *untold = clamp(*untold + (int64_t)after - (int64_t)before);
  if (before != after && !fibril__values_of(self)->instances.unwound)
    fibril__loop_want_flush(self->loop);
}

static void forget_last(const fibril__instance *instance) {
  fibril__values *values = fibril__values_of(instance->env);
  if (values->instances.last == instance) values->instances.last = NULL;
}

/* The author's function may take references, and give them back. */
static void release_instance(fibril__instance *instance) {
  fibril__env *self = instance->env;
  fibril__visit visit = fibril__visit_begin(self->loop);
  instance->released = true;
  instance->refs++;
  if (instance->release != NULL) instance->release(instance->state);
  fibril__visit_end(self->loop, visit);
  note_memory(self, instance->memory, 0);
  forget_last(instance);
  instance->env = NULL;
  instance->refs--;
  free_unless_known(instance);
  fibril__env_unref(self);
}

/* One's release may let go of the next: that waits for its turn here, however many they are. */
static void release_unused(fibril__env *self) {
  fibril__values *values = fibril__values_of(self);
  if (values->instances.releasing) return;
  values->instances.releasing = true;
  fibril__env_ref(self);
  while (values->instances.unused != NULL) {
    fibril__instance *instance = values->instances.unused;
    values->instances.unused = instance->next;
    instance->queued = false;
    release_instance(instance);
  }
  values->instances.releasing = false;
  fibril__env_unref(self);
}

void fibril__instance_unref(fibril__instance *instance) {
  if (instance == NULL || --instance->refs > 0 || instance->queued) return;
  if (instance->released) {
    free_unless_known(instance);
    return;
  }
  fibril__env *self = instance->env;
  fibril__values *values = fibril__values_of(self);
  FIBRIL__CHAIN_REMOVE(instance);
  instance->queued = true;
  instance->next = values->instances.unused;
  values->instances.unused = instance;
  if (values->instances.unwound)
    release_unused(self);
  else
    fibril__loop_want_flush(self->loop);
}

/* ---- Objects ---- */

fibril__instance *fibril__instance_new(const fibril__class_type *type) {
  fibril__instance *instance = NULL;
  if (type->state_size < SIZE_MAX - sizeof *instance)
    instance = calloc(1, sizeof *instance + type->state_size);
  if (instance == NULL) return NULL;
  instance->type = type;
  instance->env = type->env;
  instance->release = type->release;
  instance->refs = 1;
  FIBRIL__CHAIN_ADD(&fibril__values_of(type->env)->instances.newest, instance);
  fibril__env_ref(type->env);
  return instance;
}

/* There is no object that stands for it. */
static void forget_object(fibril__instance *instance) {
  if (instance->env != NULL) forget_last(instance);
  instance->object = NULL;
  instance->kept = false;
}

static void object_free(fibril__object *object) {
  fibril__instance *instance = object->instance;
  object->instance = NULL;
  if (object != &instance->first) free(object);
}

/* The object has been collected, or the environment is about to be gone altogether. */
static void finalize_object(napi_env env, void *data, void *hint) {
  fibril__object *object = data;
  fibril__instance *instance = object->instance;
  (void)hint;
  napi_delete_reference(env, object->ref);
  if (instance->object == object) forget_object(instance);
  object_free(object);
  instance->objects--;
  if (instance->released)
    free_unless_known(instance);
  else if (!fibril__values_of(instance->env)->instances.unwound)
    fibril__instance_unref(instance);
}

/* Its object is kept as long as there are keepers; an environment that ends keeps them all. */
static void keep_object(void *data) {
  fibril__instance *instance = data;
  fibril__env *self = instance->env;
  if (instance->released || instance->keepers == 0 || instance->kept || instance->object == NULL ||
      self->exiting)
    return;
  instance->kept = napi_reference_ref(self->env, instance->object->ref, NULL) == napi_ok;
}

bool fibril__instance_wrap(fibril__instance *instance, napi_value object) {
  napi_env env = instance->env->env;
  bool is_first = instance->first.instance == NULL;
  fibril__object *side = is_first ? &instance->first : malloc(sizeof *side);
  if (side == NULL) return false;
  side->instance = instance;
  if (napi_type_tag_object(env, object, &instance->type->tag) != napi_ok ||
      napi_wrap(env, object, side, finalize_object, NULL, &side->ref) != napi_ok) {
    object_free(side);
    return false;
  }
  instance->object = side;
  instance->objects++;
  instance->kept = false;
  fibril__instance_ref(instance);
  keep_object(instance);
  return true;
}

void fibril__instance_unwrap(fibril__instance *instance, napi_value object) {
  fibril__object *side = instance->object;
  napi_env env = instance->env->env;
  if (napi_remove_wrap(env, object, NULL) != napi_ok) return; /* its finalizer comes */
  napi_delete_reference(env, side->ref);
  object_free(side);
  forget_object(instance);
  instance->objects--;
  fibril__instance_unref(instance);
}

/* Looking into an object takes four times as long as seeing that it is the same as before. */
static bool is_last(const fibril__class_type *type, const fibril__instance *last,
                    napi_value object) {
  napi_env env = type->env->env;
  napi_value known;
  bool same = false;
  return last != NULL && last->type == type &&
         napi_get_reference_value(env, last->object->ref, &known) == napi_ok && known != NULL &&
         napi_strict_equals(env, known, object, &same) == napi_ok && same;
}

fibril__instance *fibril__instance_find(const fibril__class_type *type, napi_value object) {
  napi_env env = type->env->env;
  fibril__values *values = fibril__values_of(type->env);
  bool ours = false;
  void *side;
  if (is_last(type, values->instances.last, object)) return values->instances.last;
  if (napi_check_object_type_tag(env, object, &type->tag, &ours) != napi_ok || !ours ||
      napi_unwrap(env, object, &side) != napi_ok)
    return NULL;
  fibril__instance *instance = ((fibril__object *)side)->instance;
  if (instance->object == side) values->instances.last = instance;
  return instance;
}

/* ---- Keeping objects ---- */

void fibril__instance_keep(fibril__instance *instance) {
  instance->refs++;
  instance->keepers++;
  keep_object(instance);
}

/* As long as its object is kept it has a reference, and stays. */
void fibril__instance_let_go(fibril__instance *instance) {
  fibril__env *self = instance->env;
  if (--instance->keepers == 0 && instance->kept && !instance->loose && !instance->released &&
      !fibril__values_of(self)->instances.unwound) {
    instance->loose = true;
    instance->next_loose = fibril__values_of(self)->instances.loose;
    fibril__values_of(self)->instances.loose = instance;
    fibril__loop_want_flush(self->loop);
  }
  fibril__instance_unref(instance);
}

/* A new one may have taken the place of the object. */
static void let_objects_go(fibril__env *self) {
  fibril__values *values = fibril__values_of(self);
  while (values->instances.loose != NULL) {
    fibril__instance *instance = values->instances.loose;
    values->instances.loose = instance->next_loose;
    instance->loose = false;
    if (instance->keepers > 0 || !instance->kept) continue;
    instance->kept = false;
    if (!self->exiting) napi_reference_unref(self->env, instance->object->ref, NULL);
  }
}

void fibril__instances_flush(fibril__env *self) {
  fibril__values *values = fibril__values_of(self);
  int64_t memory = values->instances.memory, all;
  let_objects_go(self);
  release_unused(self);
  if (memory == 0) return;
  values->instances.memory -= memory;
  napi_adjust_external_memory(self->env, memory, &all);
}

void fibril__instances_end(fibril__env *self) {
  fibril__values *values = fibril__values_of(self);
  values->instances.unwound = true;
  let_objects_go(self);
  release_unused(self);
  fibril__instance *instance = fibril__instance_ref(values->instances.newest), *next;
  for (; instance != NULL; instance = next) {
    next = fibril__instance_ref(instance->next); /* this one may release it */
    for (size_t i = instance->objects; i > 0; i--) fibril__instance_unref(instance);
    fibril__instance_unref(instance);
  }
}

/* What keeps itself, or is kept by a variable, is released all the same. */
void fibril__instances_close(fibril__env *self) {
  fibril__values *values = fibril__values_of(self);
  while (values->instances.newest != NULL) {
    fibril__instance *instance = values->instances.newest;
    FIBRIL__CHAIN_REMOVE(instance);
    release_instance(instance);
    release_unused(self);
  }
}

/* ---- Values ---- */

static void destroy_instance(fibril__box *box, fibril__box **dead) {
  fibril__instance *instance = FIBRIL__CONTAINER(instance_box, box, box)->instance;
  (void)dead;
  free(box);
  fibril__instance_let_go(instance);
}

static fibril__instance *instance_of(fibril_value value) {
  if (fibril_value_kind(value) != FIBRIL_INSTANCE) return NULL;
  return ((instance_box *)fibril__value_box(value))->instance;
}

/* Of a reference that keeps, which it takes. */
static fibril_value value_of(fibril__instance *instance) {
  instance_box *box = malloc(sizeof *box);
  if (box == NULL) {
    fibril__instance_let_go(instance);
    return fibril__error_code(UV_ENOMEM);
  }
  box->instance = instance;
  return fibril__value_of(FIBRIL_INSTANCE, &box->box, destroy_instance);
}

fibril_value fibril__instance_value(fibril__instance *instance) {
  fibril__instance_keep(instance);
  return value_of(instance);
}

static napi_value make_object(fibril__instance *instance) {
  fibril__env *self = instance->env;
  napi_value cls, object;
  if (napi_get_reference_value(self->env, instance->type->js, &cls) != napi_ok) return NULL;
  object = fibril__env_ask(self, FIBRIL__JS_ADOPT, 1, &cls);
  return object != NULL && fibril__instance_wrap(instance, object) ? object : NULL;
}

napi_value fibril__instance_to_js(fibril__env *self, fibril_value value) {
  fibril__instance *instance = instance_of(value);
  napi_value object = NULL;
  if (instance->released || instance->env != self) return fibril__env_undefined(self);
  if (instance->object != NULL &&
      napi_get_reference_value(self->env, instance->object->ref, &object) == napi_ok &&
      object != NULL)
    return object;
  return make_object(instance);
}

fibril_value fibril_instance(fibril_class *cls) {
  if (cls == NULL) return fibril__error_code(UV_EINVAL);
  fibril__instance *instance = fibril__instance_new((const fibril__class_type *)cls);
  if (instance == NULL) return fibril__error_code(UV_ENOMEM);
  instance->keepers++;
  return value_of(instance);
}

/* A reference to an object is made strong on the loop's stack alone. */
fibril_value fibril_instance_of(void *state) {
  fibril__instance *instance = instance_of_state(state);
  if (instance->released || instance->refs == 0) return fibril__error_code(UV_EINVAL);
  instance->refs++;
  instance->keepers++;
  if (instance->object != NULL && !instance->kept) fibril_on_loop(keep_object, instance);
  return value_of(instance);
}

void *fibril_value_instance(fibril_value value, const fibril_class *cls) {
  fibril__instance *instance = instance_of(value);
  if (instance == NULL || instance->released ||
      (cls != NULL && instance->type != (const fibril__class_type *)cls))
    return NULL;
  return instance->state;
}

/* ---- What methods do with their struct ---- */

void fibril_this_ref(void *state) {
  fibril__instance_ref(instance_of_state(state));
}

void fibril_this_unref(void *state) {
  fibril__instance_unref(instance_of_state(state));
}

int fibril_this_memory(void *state, size_t bytes) {
  fibril__instance *instance = instance_of_state(state);
  if (bytes > MEMORY_MAX) return UV_EINVAL;
  if (instance->env == NULL) return 0;
  note_memory(instance->env, instance->memory, bytes);
  instance->memory = bytes;
  return 0;
}
