/* What bench/iterator.js iterates over: numbers, and objects of two properties. */
#include <fibril.h>

static fibril_value numbers(fibril_args *args, fibril_generator *generator) {
  double count = fibril_arg_number(args, 0);
  for (double i = 0; i < count; i++) {
    fibril_value sent = fibril_yield(generator, fibril_number(i));
    if (fibril_is_error(sent)) return sent;
  }
  return fibril_undefined();
}

static fibril_value object_of(double i) {
  fibril_value object = fibril_object();
  fibril_object_set(object, "id", fibril_number(i));
  fibril_object_set(object, "name", fibril_string("name", 4));
  return object;
}

static fibril_value objects(fibril_args *args, fibril_generator *generator) {
  double count = fibril_arg_number(args, 0);
  for (double i = 0; i < count; i++) {
    fibril_value sent = fibril_yield(generator, object_of(i));
    if (fibril_is_error(sent)) return sent;
  }
  return fibril_undefined();
}

FIBRIL_MODULE(m) {
  fibril_export_options ahead = {.size = sizeof ahead, .ahead = 16};
  fibril_export_generator(m, "numbers(count: number): Generator<number>", numbers, NULL);
  fibril_export_async_generator(m, "stream(count: number): AsyncGenerator<number>", numbers, NULL);
  fibril_export_async_generator(m, "streamAhead(count: number): AsyncGenerator<number>", numbers,
                                &ahead);
  fibril_export_async_generator(
      m, "objects(count: number): AsyncGenerator<{id: number, name: string}>", objects, NULL);
}
