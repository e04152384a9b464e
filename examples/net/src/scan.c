/* Which ports answer: many connections at once, each with a deadline of its own. */
#include "server.h"

#include <stdlib.h>

typedef struct {
  const char *host;
  double timeout;
  fibril_sem room; /* for attempts */
  bool *open;      /* by port */
  int next, last;
} scanning;

static void give_back(void *arg) {
  fibril_sem_post(&((scanning *)arg)->room);
}

static int try_port(const scanning *self, int port) {
  fibril_stream *stream;
  int err = fibril_deadline_push(self->timeout);
  if (err != 0) return err;
  err = fibril_tcp_connect(self->host, port, NULL, &stream);
  fibril_deadline_pop();
  if (err == 0) fibril_stream_abort(stream);
  return err;
}

/* Whatever a port answers with but a connection, it is not open; these are no answers, and end the
 * group. */
static bool ends_all(int err) {
  return err == UV_ECANCELED || err == UV_ENOMEM || err == UV_EMFILE;
}

static fibril_value scan_port(void *arg) {
  scanning *self = arg;
  int port = self->next++;
  fibril_defer(give_back, self);
  int err = try_port(self, port);
  self->open[port] = err == 0;
  return ends_all(err) ? fibril_error(err, NULL) : fibril_undefined();
}

/* The group waits for its children whatever happens, and says what the first one failed with. */
static fibril_value scan_all(scanning *self) {
  fibril_group *group = fibril_group_new();
  if (group == NULL) return fibril_error(UV_ENOMEM, NULL);
  int err = 0;
  while (self->next <= self->last && err == 0) {
    err = fibril_sem_wait(&self->room, -1);
    if (err == 0) err = fibril_group_spawn(group, scan_port, self, NULL);
  }
  fibril_value result = fibril_group_wait(group);
  return err == 0 || fibril_is_error(result) ? result : fibril_error(err, NULL);
}

static fibril_value scan(fibril_args *args) {
  scanning self = {
      .host = fibril_arg_string(args, 0),
      .next = (int)fibril_arg_integer(args, 1),
      .last = (int)fibril_arg_integer(args, 2),
      .timeout = fibril_value_number(fibril_arg_option(args, 3, "timeout")),
      .room.value = (unsigned)fibril_value_integer(fibril_arg_option(args, 3, "atOnce")),
      .open = calloc(65536, sizeof(bool)),
  };
  if (self.open == NULL || fibril_defer(free, self.open) != 0) {
    free(self.open);
    return fibril_error(UV_ENOMEM, NULL);
  }
  int first = self.next;
  if (first < 1 || self.last > 65535 || self.room.value == 0)
    return fibril_error_type("RangeError", "ERR_OUT_OF_RANGE", "Ports are 1 to 65535");
  fibril_value result = scan_all(&self);
  if (fibril_is_error(result)) return result;
  fibril_value ports = fibril_array(0);
  for (int port = first; port <= self.last; port++)
    if (self.open[port]) fibril_array_push(ports, fibril_number(port));
  return ports;
}

void export_scan(fibril_module *m) {
  fibril_export(m,
                "/** The ports of `host` from `first` to `last` that accept a connection. */"
                "scan(host: string, first: uint32, last: uint32, options?: {atOnce?: uint32 = 100,"
                " timeout?: number = 1000, signal?: AbortSignal}): Promise<number[]>",
                scan);
}
