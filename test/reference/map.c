/* shown at fibril_call: docs/c-api.md */

#include <fibril.h>

/* Like Array.from({length: count}, fn), but each call waits for the one before. */
static fibril_value map(fibril_args *args) {
  fibril_value results = fibril_array(0);
  for (int64_t i = 0; i < fibril_arg_integer(args, 0); i++) {
    fibril_value index = fibril_number((double)i);
    fibril_value result = fibril_call(fibril_arg(args, 1), &index, 1);
    if (fibril_is_error(result)) return result; /* rejects with what fn has thrown */
    int err = fibril_array_push(results, result);
    if (err != 0) return fibril_error(err, NULL);
  }
  return results;
}

FIBRIL_MODULE(m) {
  fibril_export(m, "map(count: uint32, fn: Function): Promise<any[]>", map);
}
