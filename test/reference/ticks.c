/* shown at fibril_export_async_generator: docs/c-api.md */

#include <fibril.h>

static fibril_value ticks(fibril_args *args, fibril_generator *generator) {
  for (double i = 0;; i++) {
    int err = fibril_sleep(fibril_arg_number(args, 0));
    if (err != 0) return fibril_error(err, NULL);
    fibril_value sent = fibril_yield(generator, fibril_number(i));
    if (fibril_is_error(sent)) return sent; /* the loop was left: clean up and return */
  }
}

FIBRIL_MODULE(m) {
  fibril_export_async_generator(m, "ticks(ms: number): AsyncGenerator<number>", ticks, NULL);
}
