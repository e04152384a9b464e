/* Instances: what is behind an object of a class is a counted header with the struct of the addon's
 * author. C has them as values, too. */
#ifndef FIBRIL_NODE_VALUES_INSTANCES_H
#define FIBRIL_NODE_VALUES_INSTANCES_H

#include "../signatures/type.h"
#include "values.h"

#include <stdalign.h>
#include <stddef.h>

typedef struct fibril__instance fibril__instance;

/* What instances know of their class. */
typedef struct fibril__class_type {
  fibril__declared declared; /* as a type in signatures */
  fibril__env *env;
  napi_type_tag tag;
  napi_ref js; /* the class in JavaScript */
  size_t state_size;
  void (*release)(void *state);
} fibril__class_type;

static inline const fibril__class_type *fibril__class_type_of(const fibril__declared *declared) {
  return FIBRIL__CONTAINER(const fibril__class_type, declared, declared);
}

/* An object's side of it. */
typedef struct fibril__object {
  fibril__instance *instance; /* NULL: not in use */
  napi_ref ref;               /* to the object: weak, unless it is kept */
} fibril__object;

struct fibril__instance {
  const fibril__class_type *type;
  fibril__env *env;               /* counted; NULL: it has been released */
  fibril__instance *next, **link; /* of the environment's; `next` also in `unused` */
  fibril__instance *next_loose;
  void (*release)(void *state);
  size_t refs;    /* objects, values in C, methods and generators that run, fibril_this_ref */
  size_t keepers; /* of them, those that keep the object: values, and methods that wait */
  size_t objects; /* whose finalizers will come */
  size_t memory;  /* what it said that it has outside of JavaScript */
  bool kept;      /* `object` is a strong reference */
  bool loose;     /* in the environment's list */
  bool queued;    /* in `unused` */
  bool released;  /* or about to be; the memory goes with the last reference */
  fibril__object *object; /* that which stands for it; NULL: none, or collected */
  fibril__object first;   /* most have no other */
  alignas(max_align_t) char state[];
};

/* With one reference, the caller's. NULL without memory. */
fibril__instance *fibril__instance_new(const fibril__class_type *type);
/* Makes it what is behind `object`, whose reference is another; or fails. */
bool fibril__instance_wrap(fibril__instance *instance, napi_value object);
/* The object is none of it any more: its constructor has failed. */
void fibril__instance_unwrap(fibril__instance *instance, napi_value object);
/* What is behind an object of this class; NULL: it is none. */
fibril__instance *fibril__instance_find(const fibril__class_type *type, napi_value object);

static inline fibril__instance *fibril__instance_ref(fibril__instance *instance) {
  if (instance != NULL) instance->refs++;
  return instance;
}
/* Here may be a coroutine's stack, and the method that was the last one still at its end. */
void fibril__instance_unref(fibril__instance *instance);

/* A reference that keeps the object, too: on the loop's stack. */
void fibril__instance_keep(fibril__instance *instance);
void fibril__instance_let_go(fibril__instance *instance);

/* Owned; an error of UV_ENOMEM. On the loop's stack. */
fibril_value fibril__instance_value(fibril__instance *instance);
/* The object of such a value; as fibril__to_js. */
napi_value fibril__instance_to_js(fibril__env *self, fibril_value value);

/* What is left for the end of a turn: releases what nobody has any more, and lets objects go. */
void fibril__instances_flush(fibril__env *self);
/* Every coroutine has ended: the objects that are left are collected, so to speak. */
void fibril__instances_end(fibril__env *self);
/* The loop's data has been released, too: whoever is left has nobody any more. */
void fibril__instances_close(fibril__env *self);

#endif /* FIBRIL_NODE_VALUES_INSTANCES_H */
