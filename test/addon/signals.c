/* Signals that C waits for, for test/signals.test.js. */
#include <fibril.h>

/* One error, or how many of them came. */
static fibril_value wait_for(fibril_args *args) {
  fibril_signal *signal;
  int number = (int)fibril_arg_integer(args, 0), err = fibril_signal_open(&number, 1, &signal);
  int64_t count = fibril_arg_integer(args, 1), came = 0;
  if (err != 0) return fibril_error(err, NULL);
  if (fibril_value_boolean(fibril_arg_option(args, 2, "unheld"))) fibril_signal_unhold(signal);
  while (came < count && (err = fibril_signal_wait(signal)) == number) came++;
  return err < 0 ? fibril_error(err, NULL) : fibril_number((double)came);
}

FIBRIL_MODULE(m) {
  fibril_export(m,
                "wait(signal: int32, count: uint32, options?: {unheld?: boolean}): Promise<number>",
                wait_for);
}
