/* A value of every owner (test/c/owners.c, and those that JavaScript brings) leaves for JavaScript
 * in every way. */
#include "../c/owners.h"

#include <stdlib.h>

typedef struct {
  owner_scene scene;
  fibril_value function;
} passage;

/* Each gives what came back: the function returns its argument. */
typedef fibril_value way_fn(passage *p, fibril_value value);

static fibril_value by_return(passage *p, fibril_value value) {
  (void)p;
  return value;
}

static fibril_value by_call(passage *p, fibril_value value) {
  return fibril_call(p->function, &value, 1);
}

static void unref(void *future) {
  fibril_future_unref(future);
}

static fibril_value by_call_start(passage *p, fibril_value value) {
  fibril_future *future = fibril_call_start(p->function, &value, 1);
  fibril_defer(unref, future);
  return fibril_await(future);
}

static fibril_value by_call_forget(passage *p, fibril_value value) {
  int err = fibril_call_forget(p->function, &value, 1);
  return err != 0 ? fibril_error(err, NULL) : value;
}

static void settle(fibril_value result, void *future) {
  fibril_future_set_result(future, result); /* borrowed: another owner */
}

static fibril_value by_callback(passage *p, fibril_value value, bool wait) {
  fibril_callback *callback = fibril_callback_new(p->function, NULL);
  fibril_future *future = fibril_future_new(p->scene.loop);
  fibril_defer(unref, future);
  fibril_value function = fibril_callback_function(callback);
  int err = fibril_value_kind(function) != FIBRIL_REFERENCE
                ? FIBRIL_ETYPE
                : (wait ? fibril_callback_send : fibril_callback_trysend)(callback, &value, 1,
                                                                          settle, future);
  fibril_callback_unref(callback);
  return err != 0 ? fibril_error(err, NULL) : fibril_await(future);
}

static fibril_value by_send(passage *p, fibril_value value) {
  return by_callback(p, value, true);
}

static fibril_value by_trysend(passage *p, fibril_value value) {
  return by_callback(p, value, false);
}

/* The function is an object as well. */
static fibril_value by_property(passage *p, fibril_value value) {
  fibril_value err = fibril_reference_set(p->function, "kept", value);
  if (fibril_is_error(err)) return err;
  fibril_value kept = fibril_reference_get(p->function, "kept");
  fibril_reference_delete(p->function, "kept");
  return fibril_call(p->function, &kept, 1);
}

static fibril_value by_keyed_property(passage *p, fibril_value value) {
  fibril_value key = fibril_number(3), err = fibril_reference_set_key(p->function, key, value);
  if (fibril_is_error(err)) return err;
  fibril_value kept = fibril_reference_get_key(p->function, key);
  fibril_reference_delete_key(p->function, key);
  return fibril_call(p->function, &kept, 1);
}

static fibril_value by_method(passage *p, fibril_value value) {
  const fibril_value args[] = {fibril_undefined(), value};
  return fibril_reference_call(p->function, "call", args, 2);
}

static fibril_value by_keyed_method(passage *p, fibril_value value) {
  const fibril_value args[] = {fibril_undefined(), value};
  return fibril_reference_call_key(p->function, fibril_symbol("call"), args, 2);
}

static void nothing(void *data) {
  (void)data;
}

/* As the object, and as the key, which it is not, or of nothing: it is borrowed. */
static fibril_value by_mistake(passage *p, fibril_value value) {
  fibril_reference_has(value, "x");
  fibril_reference_has_key(p->function, value);
  fibril_reference_get_key(value, value);
  fibril_reference_keys(value);
  fibril_reference_batch(value, nothing, NULL);
  fibril_reference_equal(p->function, value);
  fibril_reference_equal(value, p->function);
  return fibril_call(p->function, &value, 1);
}

static const struct {
  const char *name;
  way_fn *run;
  bool hands_over; /* else the arguments are borrowed */
} WAYS[] = {
    {"return", by_return, true},
    {"fibril_call", by_call, false},
    {"fibril_call_start", by_call_start, false},
    {"fibril_call_forget", by_call_forget, true}, /* it returns it as well */
    {"fibril_reference_set", by_property, false},
    {"fibril_reference_set_key", by_keyed_property, false},
    {"fibril_reference_call", by_method, false},
    {"fibril_reference_call_key", by_keyed_method, false},
    {"fibril_reference_has", by_mistake, false},
    {"fibril_callback_send", by_send, true},
    {"fibril_callback_trysend", by_trysend, true},
};
enum { WAY_COUNT = sizeof WAYS / sizeof WAYS[0] };

/* ---- Objects of a class ---- */

typedef struct {
  bool counted;
} object;

static _Thread_local fibril_class *objects;
static _Thread_local fibril_value kept;

static void object_release(void *state) {
  if (((object *)state)->counted) live_payloads--;
}

static fibril_value object_to_string(fibril_args *args) {
  (void)args;
  return fibril_string("payload", sizeof "payload");
}

static fibril_value make_object(void) {
  fibril_value value = fibril_instance(objects);
  object *self = fibril_value_instance(value, objects);
  if (self == NULL) return value;
  self->counted = true;
  live_payloads++;
  return value;
}

/* The one that is kept has been made by the one whose value is lost. */
static fibril_value of_a_struct(void) {
  fibril_value_free(kept);
  kept = fibril_value_take(make_object());
  return fibril_instance_of(fibril_value_instance(kept, objects));
}

static bool is_whole_here(fibril_value value) {
  const object *self = fibril_value_instance(value, objects);
  return self == NULL ? is_whole(value) : self->counted;
}

static void drop_kept(void *unused) {
  (void)unused;
  fibril_value_free(kept);
  kept = fibril_undefined();
}

/* Owners of Node's side: an argument, an option, the result of a call, objects. */
enum { ARGUMENT, OPTION, OBJECT, STRUCT, KEPT, RESULT, NODE_OWNERS };
static const char *const NODE_NAMES[] = {"an argument's", "an option's",  "a new object's",
                                         "a struct's",    "a variable's", "a call's"};

static fibril_value make(passage *p, fibril_args *args, size_t owner) {
  fibril_value payload = fibril_arg(args, 3);
  if (owner < value_owner_count) return value_owners[owner].make(&p->scene);
  switch (owner - value_owner_count) {
    case ARGUMENT: return payload;
    case OPTION: return fibril_arg_option(args, 4, "value");
    case OBJECT: return make_object();
    case STRUCT: return of_a_struct();
    case KEPT: fibril_value_free(fibril_value_take(of_a_struct())); return fibril_value_dup(kept);
    default: return fibril_call(p->function, &payload, 1);
  }
}

static fibril_value leave(fibril_args *args) {
  size_t owner = (size_t)fibril_arg_integer(args, 0), which = (size_t)fibril_arg_integer(args, 1);
  if (owner >= value_owner_count + NODE_OWNERS || which >= WAY_COUNT)
    return fibril_error(UV_EINVAL, NULL);
  passage *p = calloc(1, sizeof *p); /* clean-up needs it when this function has returned */
  if (p == NULL || fibril_defer(free, p) != 0) return fibril_error(UV_ENOMEM, NULL);
  p->scene.loop = fibril_loop_current();
  p->function = fibril_arg(args, 2);
  fibril_defer(drop_owners, &p->scene);
  fibril_defer(drop_kept, NULL);
  fibril_value value = make(p, args, owner);
  if (!is_whole_here(value)) return fibril_error(UV_EINVAL, "what is made is not whole");
  fibril_value result = WAYS[which].run(p, value);
  if (!is_whole_at_owner(&p->scene)) result = fibril_error(UV_EINVAL, "its owner has lost it");
  if (!WAYS[which].hands_over) fibril_value_free(value);
  return result;
}

static fibril_value names(fibril_args *args) {
  (void)args;
  fibril_value owners = fibril_array(0), ways = fibril_array(0), both = fibril_object();
  for (size_t i = 0; i < value_owner_count; i++)
    fibril_array_push(owners, fibril_string(value_owners[i].name, FIBRIL_AUTO_LENGTH));
  for (size_t i = 0; i < NODE_OWNERS; i++)
    fibril_array_push(owners, fibril_string(NODE_NAMES[i], FIBRIL_AUTO_LENGTH));
  for (size_t i = 0; i < WAY_COUNT; i++)
    fibril_array_push(ways, fibril_string(WAYS[i].name, FIBRIL_AUTO_LENGTH));
  fibril_object_set(both, "owners", owners);
  fibril_object_set(both, "ways", ways);
  return both;
}

static fibril_value count_live(fibril_args *args) {
  (void)args;
  return fibril_number(live_payloads);
}

/* Where no coroutine runs a value is the caller's, or somebody else's. */
static void export_values(fibril_module *m) {
  fibril_value list = fibril_array(1);
  fibril_array_push(list, make_payload());
  fibril_export_value(m, "owned: Buffer", make_payload());
  fibril_export_value(m, "borrowed: Buffer", fibril_array_get(list, 0));
  fibril_export_value(m, "duplicate: Buffer", fibril_value_dup(fibril_array_get(list, 0)));
  fibril_value_free(list);
}

static void export_class_values(fibril_class *cls) {
  fibril_value list = fibril_array(1);
  fibril_array_push(list, make_payload());
  fibril_class_value(cls, "borrowed: Buffer", fibril_array_get(list, 0));
  fibril_class_value(cls, "duplicate: Buffer", fibril_value_dup(fibril_array_get(list, 0)));
  fibril_value_free(list);
}

FIBRIL_MODULE(m) {
  const fibril_class_options of_object = {
      .size = sizeof of_object, .state_size = sizeof(object), .release = object_release};
  export_values(m);
  objects = fibril_export_class(m, "Payload", &of_object);
  fibril_class_method(objects, "toString(): string", object_to_string, NULL);
  fibril_class_value(objects, "owned: Payload", make_object());
  export_class_values(objects);
  fibril_export(m,
                "leave(owner: uint32, way: uint32, fn: Function, payload: bytes, options: {value: "
                "bytes}): Promise<any>",
                leave);
  fibril_export(m, "names(): Promise<{owners: string[], ways: string[]}>", names);
  fibril_export(m, "countLive(): Promise<number>", count_live);
}
