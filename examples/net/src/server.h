/* What all servers here have in common: a struct behind a JavaScript object, with a listener. */
#ifndef NET_SERVER_H
#define NET_SERVER_H

#include <fibril.h>

typedef struct {
  fibril_listener *listener;
  fibril_serve_fn handle; /* of each connection; gets the server */
  unsigned connections;   /* now */
  double idle;            /* milliseconds that the line server waits for a line */
  int target;             /* the port that the proxy connects to */
} server;

/* What is returned by the constructor. */
fibril_value server_open(server *self, int port, fibril_serve_fn handle);
/* Exports a class of servers: `constructor` beside what all of them have. */
void export_server(fibril_module *m, const char *name, const char *signature,
                   fibril_export_fn constructor);

void export_echo(fibril_module *m);
void export_lines(fibril_module *m);
void export_proxy(fibril_module *m);
void export_scan(fibril_module *m);
void export_resolve(fibril_module *m);

#endif /* NET_SERVER_H */
