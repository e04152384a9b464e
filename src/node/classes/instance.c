/* Instances: made by a constructor, released on the loop's stack when nobody has them any more. */
#include "instance.h"

#include "../../core/value/list.h"

#include <stdlib.h>

static fibril__instance *instance_of_state(void *state) {
  return FIBRIL__CONTAINER(fibril__instance, state, state);
}

/* The memory is the finalizer's while there is an object: it gets the pointer. */
static void instance_release(fibril__instance *instance) {
  fibril__env *self = instance->env;
  fibril__visit visit = fibril__visit_begin(self->loop);
  if (instance->release != NULL) instance->release(instance->state);
  fibril__visit_end(self->loop, visit);
  instance->released = true;
  instance->env = NULL;
  if (!instance->wrapped) free(instance);
  fibril__env_unref(self);
}

void fibril__instances_release(fibril__env *self) {
  fibril__instances *instances = fibril__instances_of(self);
  while (instances->unused != NULL) {
    fibril__instance *instance = instances->unused;
    instances->unused = instance->next;
    instance_release(instance);
  }
}

/* Here may be a coroutine's stack, and the method that was the last one still at its end. */
static void instance_unused(fibril__receiver *receiver) {
  fibril__instance *instance = FIBRIL__CONTAINER(fibril__instance, receiver, receiver);
  fibril__env *self = instance->env;
  fibril__instances *instances = fibril__instances_of(self);
  FIBRIL__CHAIN_REMOVE(instance);
  instance->next = instances->unused;
  instances->unused = instance;
  if (instances->unwound)
    fibril__instances_release(self);
  else
    fibril__loop_want_flush(self->loop);
}

fibril__instance *fibril__instance_new(fibril__env *self, size_t state_size,
                                       void (*release)(void *state)) {
  fibril__instance *instance =
      state_size < SIZE_MAX - sizeof *instance ? calloc(1, sizeof *instance + state_size) : NULL;
  if (instance == NULL) return NULL;
  fibril__instances *instances = fibril__instances_of(self);
  fibril__receiver_init(&instance->receiver, instance_unused);
  instance->env = self;
  instance->release = release;
  FIBRIL__CHAIN_ADD(&instances->newest, instance);
  fibril__env_ref(self);
  return instance;
}

/* The object has been collected, or the environment is about to be gone altogether. */
static void finalize_instance(napi_env env, void *data, void *hint) {
  fibril__instance *instance = data;
  (void)env;
  (void)hint;
  instance->wrapped = false;
  if (instance->released)
    free(instance);
  else if (!fibril__instances_of(instance->env)->unwound)
    fibril__receiver_unref(&instance->receiver);
}

bool fibril__instance_wrap(fibril__instance *instance, napi_value object) {
  instance->wrapped =
      napi_wrap(instance->env->env, object, instance, finalize_instance, NULL, NULL) == napi_ok;
  return instance->wrapped;
}

void fibril__instances_end(fibril__env *self) {
  fibril__instances *instances = fibril__instances_of(self);
  instances->unwound = true;
  fibril__iterators_end(self); /* generators among methods have instances, too */
  fibril__instances_release(self);
  fibril__instance *instance = instances->newest, *next;
  if (instance != NULL) fibril__receiver_ref(&instance->receiver);
  for (; instance != NULL; instance = next) {
    next = instance->next;
    if (next != NULL) fibril__receiver_ref(&next->receiver); /* this one may release it */
    if (instance->wrapped) fibril__receiver_unref(&instance->receiver);
    fibril__receiver_unref(&instance->receiver);
  }
}

void fibril_this_ref(void *state) {
  fibril__receiver_ref(&instance_of_state(state)->receiver);
}

void fibril_this_unref(void *state) {
  fibril__receiver_unref(&instance_of_state(state)->receiver);
}

void *fibril_this(const fibril_args *args) {
  if (args->receiver == NULL) return NULL;
  return FIBRIL__CONTAINER(fibril__instance, receiver, args->receiver)->state;
}
