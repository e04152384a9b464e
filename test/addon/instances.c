/* Objects of classes as arguments and results, and what classes have besides methods, for
 * test/instances.test.js, exported as any addon would. */
#include <fibril.h>

#include <stdlib.h>
#include <string.h>

static _Atomic int live; /* structs of both classes in all threads */

typedef struct {
  bool made;
  int32_t step;
  double value;
  fibril_value kept;
} point;

typedef struct {
  point *of; /* counted */
  char *text;
} label;

static _Thread_local fibril_class *points, *labels; /* of the thread's environment */
static _Thread_local fibril_event waking;           /* of those that wait for no time */

static int rest(double ms) {
  return ms < 0 ? fibril_event_wait(&waking, -1) : fibril_sleep(ms);
}

static fibril_value wake(fibril_args *args) {
  (void)args;
  fibril_event_set(&waking);
  fibril_event_clear(&waking);
  return fibril_undefined();
}

static void point_release(void *state) {
  point *self = state;
  if (self->made) live--;
  fibril_value_free(self->kept);
}

static void label_release(void *state) {
  label *self = state;
  if (!fibril_is_error(fibril_instance_of(state))) abort(); /* it is too late for that */
  fibril_this_ref(state);
  fibril_this_unref(state);
  live--;
  if (self->of != NULL) fibril_this_unref(self->of);
  free(self->text);
}

static fibril_value point_new(fibril_args *args) {
  point *self = fibril_this(args);
  self->made = true;
  self->step = 1;
  live++;
  self->value = fibril_arg_number(args, 0);
  if (self->value < 0) return fibril_error(UV_EINVAL, "a point below 0");
  return fibril_undefined();
}

static fibril_value make_point(double value) {
  fibril_value result = fibril_instance(points);
  point *self = fibril_value_instance(result, points);
  if (self == NULL) return result;
  self->made = true;
  self->step = 1;
  self->value = value;
  live++;
  return result;
}

static fibril_value point_at(fibril_args *args) {
  return make_point(fibril_arg_number(args, 0));
}

static fibril_value point_at_later(fibril_args *args) {
  int err = fibril_moment();
  return err != 0 ? fibril_error(err, NULL) : make_point(fibril_arg_number(args, 0));
}

static fibril_value point_value(fibril_args *args) {
  return fibril_number(((point *)fibril_this(args))->value);
}

static fibril_value point_step(fibril_args *args) {
  return fibril_number(((point *)fibril_this(args))->step);
}

static fibril_value point_set_step(fibril_args *args) {
  point *self = fibril_this(args);
  if (fibril_arg_integer(args, 0) == 0) return fibril_error(UV_ERANGE, "a step of 0");
  self->step = (int32_t)fibril_arg_integer(args, 0);
  return fibril_number(1);
}

/* Of several types; and of an object, which the parameter takes apart. */
static fibril_value point_set_any(fibril_args *args) {
  point *self = fibril_this(args);
  const point *other = fibril_arg_instance(args, 0);
  self->value = other != NULL ? other->value : fibril_arg_number(args, 0);
  return fibril_undefined();
}

static fibril_value point_set_range(fibril_args *args) {
  point *self = fibril_this(args);
  self->value = fibril_value_number(fibril_arg_option(args, 0, "from"));
  self->step = (int32_t)fibril_value_integer(fibril_arg_option(args, 0, "by"));
  return fibril_undefined();
}

static fibril_value point_broken(fibril_args *args) {
  (void)args;
  return fibril_error_uv(UV_EIO, "read", NULL);
}

static fibril_value point_this(fibril_args *args) {
  return fibril_instance_of(fibril_this(args));
}

/* The object may be nobody's while it waits. */
static fibril_value point_this_later(fibril_args *args) {
  int err = rest(fibril_arg_number(args, 0));
  return err != 0 ? fibril_error(err, NULL) : fibril_instance_of(fibril_this(args));
}

static fibril_value point_values(fibril_args *args, fibril_generator *generator) {
  point *self = fibril_this(args);
  for (double value = self->value; value < 3; value += self->step) {
    fibril_value sent = fibril_yield(generator, fibril_number(value));
    if (fibril_is_error(sent)) return sent;
  }
  return fibril_undefined();
}

/* Objects that it makes, and itself. */
static fibril_value point_neighbours(fibril_args *args, fibril_generator *generator) {
  point *self = fibril_this(args);
  fibril_value sent = fibril_yield(generator, make_point(self->value - 1));
  if (!fibril_is_error(sent)) sent = fibril_yield(generator, fibril_instance_of(self));
  if (!fibril_is_error(sent)) sent = fibril_yield(generator, make_point(self->value + 1));
  return fibril_is_error(sent) ? sent : fibril_undefined();
}

static fibril_value point_tag(fibril_args *args) {
  (void)args;
  return fibril_string("point", FIBRIL_AUTO_LENGTH);
}

static fibril_value point_to_json(fibril_args *args) {
  fibril_value result = fibril_object();
  fibril_object_set(result, "at", fibril_number(((point *)fibril_this(args))->value));
  return result;
}

static fibril_value point_keep(fibril_args *args) {
  point *self = fibril_this(args);
  fibril_value_free(self->kept);
  self->kept = fibril_value_dup(fibril_arg(args, 0));
  return fibril_undefined();
}

static fibril_value point_kept(fibril_args *args) {
  return fibril_value_dup(((point *)fibril_this(args))->kept);
}

static fibril_value point_weigh(fibril_args *args) {
  double bytes = fibril_arg_number(args, 0);
  int err = fibril_this_memory(fibril_this(args), bytes < 0 ? SIZE_MAX : (size_t)bytes);
  return err != 0 ? fibril_error(err, NULL) : fibril_undefined();
}

static fibril_value point_weigh_later(fibril_args *args) {
  int err = fibril_moment();
  return err != 0 ? fibril_error(err, NULL) : point_weigh(args);
}

/* One of another class, which keeps the struct and not the object. */
static fibril_value point_label(fibril_args *args) {
  fibril_value result = fibril_instance(labels);
  label *self = fibril_value_instance(result, labels);
  if (self == NULL) return result;
  live++;
  self->of = fibril_this(args);
  fibril_this_ref(self->of);
  self->text = strdup(fibril_arg_string(args, 0));
  return self->text == NULL ? fibril_error(UV_ENOMEM, NULL) : result;
}

static fibril_value label_text(fibril_args *args) {
  return fibril_string(((label *)fibril_this(args))->text, FIBRIL_AUTO_LENGTH);
}

static fibril_value label_of(fibril_args *args) {
  return fibril_instance_of(((label *)fibril_this(args))->of);
}

static fibril_value count_live(fibril_args *args) {
  (void)args;
  return fibril_number(live);
}

/* ---- Rings ---- */

typedef struct {
  fibril_value next;
} ring;

static void ring_release(void *state) {
  fibril_value_free(((ring *)state)->next);
}

static fibril_value ring_to(fibril_args *args) {
  ring *self = fibril_this(args);
  fibril_value_free(self->next);
  self->next = fibril_value_dup(fibril_arg(args, 0));
  return fibril_undefined();
}

static fibril_value ring_next(fibril_args *args) {
  return fibril_value_dup(((ring *)fibril_this(args))->next);
}

static fibril_value ring_has(fibril_args *args) {
  return fibril_boolean(fibril_arg_number(args, 0) == 3);
}

static void export_rings(fibril_module *m) {
  const fibril_class_options of_ring = {
      .size = sizeof of_ring, .state_size = sizeof(ring), .release = ring_release};
  fibril_class *rings = fibril_export_class(m, "Ring", &of_ring);
  fibril_class_method(rings, "to(other: Ring): void", ring_to, NULL);
  fibril_class_getter(rings, "next: Ring | undefined", ring_next);
  fibril_class_getter(rings, "previous: Ring | undefined", ring_next);
  fibril_class_static(rings, "[Symbol.hasInstance](value: number = 0): boolean", ring_has, NULL);
  fibril_class_static(rings, "length(): number", count_live, NULL);
}

/* ---- Functions ---- */

static fibril_value value_of(fibril_args *args) {
  const point *self = fibril_arg_instance(args, 0);
  return self == NULL ? fibril_null() : fibril_number(self->value);
}

static fibril_value value_of_later(fibril_args *args) {
  int err = rest(fibril_arg_number(args, 1));
  return err != 0 ? fibril_error(err, NULL) : value_of(args);
}

static fibril_value same(fibril_args *args) {
  return fibril_arg(args, 0);
}

static fibril_value same_later(fibril_args *args) {
  int err = rest(fibril_arg_number(args, 1));
  return err != 0 ? fibril_error(err, NULL) : fibril_arg(args, 0);
}

static fibril_value kind_of(fibril_args *args) {
  fibril_value value = fibril_arg(args, 0);
  const char *kind = fibril_value_instance(value, points) != NULL   ? "point"
                     : fibril_value_instance(value, labels) != NULL ? "label"
                     : fibril_value_instance(value, NULL) != NULL   ? "instance"
                     : fibril_value_kind(value) == FIBRIL_INSTANCE  ? "unknown"
                                                                    : "none";
  return fibril_string(kind, FIBRIL_AUTO_LENGTH);
}

static fibril_value sum(fibril_args *args) {
  fibril_value list = fibril_arg(args, 0);
  double total = 0;
  for (size_t i = 0; i < fibril_array_length(list); i++)
    total += ((point *)fibril_value_instance(fibril_array_get(list, i), points))->value;
  return fibril_number(total);
}

static fibril_value option(fibril_args *args) {
  const point *self = fibril_value_instance(fibril_arg_option(args, 0, "at"), NULL);
  return fibril_number(self == NULL ? -1 : self->value);
}

static fibril_value line(fibril_args *args) {
  fibril_value list = fibril_array(0), result = fibril_object();
  for (int i = 0; i < fibril_arg_integer(args, 0); i++) {
    int err = fibril_array_push(list, make_point(i));
    if (err != 0) return fibril_error(err, NULL);
  }
  fibril_object_set(result, "again", fibril_value_dup(fibril_array_get(list, 0)));
  int err = fibril_object_set(result, "points", list);
  return err != 0 ? fibril_error(err, NULL) : result;
}

/* Hands one to JavaScript, and gives what that gives. */
static fibril_value pass(fibril_args *args) {
  fibril_value item = make_point(7);
  if (fibril_is_error(item)) return item;
  return fibril_call(fibril_arg(args, 0), &item, 1);
}

/* Made, and nobody's. */
static fibril_value waste(fibril_args *args) {
  for (int i = 0; i < fibril_arg_integer(args, 0); i++) make_point(i);
  return fibril_undefined();
}

static fibril_value none(fibril_args *args) {
  (void)args;
  return fibril_instance(NULL);
}

static _Thread_local fibril_value held;

static fibril_value hold(fibril_args *args) {
  fibril_value_free(held);
  held = fibril_value_dup(fibril_arg(args, 0));
  return fibril_undefined();
}

static fibril_value holding(fibril_args *args) {
  (void)args;
  return fibril_value_dup(held);
}

FIBRIL_MODULE(m) {
  const fibril_class_options of_point = {
      .size = sizeof of_point, .state_size = sizeof(point), .release = point_release};
  const fibril_class_options of_label = {
      .size = sizeof of_label, .state_size = sizeof(label), .release = label_release};
  points = fibril_export_class(m, "/** On a line. */ Point", &of_point);
  fibril_class_constructor(points, "(value: number = 0)", point_new);
  fibril_class_static(points, "/** One that C makes. */ at(value: number): Point", point_at, NULL);
  fibril_class_static(points, "atLater(value: number): Promise<Point>", point_at_later, NULL);
  fibril_class_value(points, "ORIGIN: number", fibril_number(0));
  fibril_class_getter(points, "value: number", point_value);
  fibril_class_getter(points, "step: int32", point_step);
  fibril_class_setter(points, "step: int32", point_set_step);
  fibril_class_setter(points, "/** Write only. */ any: Point | number | null", point_set_any);
  fibril_class_setter(points, "range: { from: number, by?: int32 = 2 }", point_set_range);
  fibril_class_getter(points, "[Symbol.toStringTag]: string", point_tag);
  fibril_class_method(points, "self(): this", point_this, NULL);
  fibril_class_method(points, "selfLater(ms: number): Promise<this>", point_this_later, NULL);
  fibril_class_method(points, "keep(value: any): void", point_keep, NULL);
  fibril_class_method(points, "keepPoint(value: Point | null): void", point_keep, NULL);
  fibril_class_method(points, "kept(): any", point_kept, NULL);
  fibril_class_method(points, "weigh(bytes: number): void", point_weigh, NULL);
  fibril_class_method(points, "weighLater(bytes: number): Promise<void>", point_weigh_later, NULL);
  fibril_class_method(points, "toJSON(): { at: number }", point_to_json, NULL);
  fibril_class_method(points, "label(text: string): Label", point_label, NULL);
  fibril_class_generator(points, "values(): Generator<number>", point_values, NULL);
  fibril_class_alias(points, "[Symbol.iterator] = values");
  fibril_class_async_generator(points, "[Symbol.asyncIterator](): AsyncGenerator<Point>",
                               point_neighbours, NULL);
  labels = fibril_export_class(m, "Label", &of_label);
  fibril_class_getter(labels, "text: string", label_text);
  fibril_class_getter(labels, "of: Point", label_of);
  fibril_class_getter(labels, "broken: number", point_broken);
  export_rings(m);
  fibril_export(m, "valueOf(point: Point): number", value_of);
  fibril_export(m, "valueOfLater(point: Point, ms: number): Promise<number>", value_of_later);
  fibril_export(m, "valueOrNull(point?: Point | null): number | null", value_of);
  fibril_export(m, "same(value: Point | Label | string): Point | Label | string", same);
  fibril_export(m, "sameLater(value: Point, ms: number): Promise<Point>", same_later);
  fibril_export(m, "kindOf(value: Point | Label | object | null): string", kind_of);
  fibril_export(m, "sum(points: Point[]): number", sum);
  fibril_export(m, "sumLater(points: Point[]): Promise<number>", sum);
  fibril_export(m, "sumAll(...points: Point[]): number", sum);
  fibril_export(m, "option(options?: { at?: Point }): number", option);
  fibril_export(m, "line(count: int32): { points: Point[], again: Point }", line);
  fibril_export(m, "pass(fn: (point: Point) => any): Promise<any>", pass);
  fibril_export(m, "waste(count: int32): void", waste);
  fibril_export(m, "wasteLater(count: int32): Promise<void>", waste);
  fibril_export(m, "none(): any", none);
  fibril_export(m, "hold(value: Point | null): void", hold);
  fibril_export(m, "holding(): Point | null", holding);
  fibril_export(m, "wake(): void", wake);
  fibril_export(m, "countLive(): number", count_live);
}
