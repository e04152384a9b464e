#include "echo.h"

static fibril_value listen_somewhere(fibril_args *args) {
  (void)args;
  int port;
  int err = echo_listen(&port);
  return err != 0 ? fibril_error(err, NULL) : fibril_number(port);
}

static fibril_value serve(fibril_args *args) {
  return fibril_error(echo_serve(fibril_arg_boolean(args, 0)), NULL);
}

FIBRIL_MODULE(m) {
  fibril_export(m, "listen(): Promise<number>", listen_somewhere);
  fibril_export(m, "serve(quiet: boolean): Promise<void>", serve);
}
