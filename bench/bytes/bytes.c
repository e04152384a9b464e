/* Functions that only look how many bytes they got. */
#include <fibril.h>

static fibril_value length(fibril_args *args) {
  size_t bytes;
  fibril_arg_buffer(args, 0, &bytes);
  return fibril_number((double)bytes);
}

FIBRIL_MODULE(m) {
  fibril_export(m, "length(data: bytes): Promise<number>", length);
  fibril_export(m, "lengthNow(data: bytes): number", length);
}
