/* Says everything again. A peer that does not read is not read from, either: the write waits. */
#include "server.h"

static fibril_value echo(fibril_stream *stream, void *arg) {
  char buffer[4096];
  (void)arg;
  for (;;) {
    int64_t count = fibril_stream_read(stream, buffer, sizeof buffer);
    if (count == 0) return fibril_undefined();
    int err = count < 0 ? (int)count : fibril_stream_write(stream, buffer, (size_t)count);
    if (err != 0) return fibril_error(err, NULL);
  }
}

static fibril_value echo_new(fibril_args *args) {
  return server_open(fibril_this(args), (int)fibril_arg_integer(args, 0), echo);
}

void export_echo(fibril_module *m) {
  export_server(m, "EchoServer", "(port?: uint32 = 0)", echo_new);
}
