/* shown at fibril_export_class: docs/c-api.md */

#include <fibril.h>

typedef struct {
  double value;
  fibril_mutex mutex;
} counter;

static fibril_value counter_new(fibril_args *args) {
  counter *self = fibril_this(args);
  self->value = fibril_arg_number(args, 0);
  return fibril_undefined();
}

static fibril_value counter_add(fibril_args *args) {
  counter *self = fibril_this(args);
  int err = fibril_mutex_lock(&self->mutex); /* waits as any exported function may */
  if (err != 0) return fibril_error(err, NULL);
  self->value += fibril_arg_number(args, 0);
  fibril_mutex_unlock(&self->mutex);
  return fibril_number(self->value);
}

static fibril_value counter_value(fibril_args *args) {
  return fibril_number(((counter *)fibril_this(args))->value);
}

FIBRIL_MODULE(m) {
  fibril_class_options options = {.size = sizeof options, .state_size = sizeof(counter)};
  fibril_class *counters = fibril_export_class(m, "Counter", &options);
  fibril_class_constructor(counters, "(start: number = 0)", counter_new);
  fibril_class_method(counters, "add(n: number): Promise<number>", counter_add, NULL);
  fibril_class_getter(counters, "value: number", counter_value);
}
