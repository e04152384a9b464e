/* The echo servers of bench/net.js, of which every contender is one: what comes is sent back until
 * the peer ends the connection. Both listen on a free port of 127.0.0.1, with TCP_NODELAY. */
#ifndef BENCH_NET_ECHO_H
#define BENCH_NET_ECHO_H

#include <fibril.h>
#include <uv.h>

/* Connections that wait to be accepted. */
#define BACKLOG 4096

/* fibril's, in a coroutine: 0 and the port. */
int echo_listen(int *port);
/* Serves. A quiet one has a handler that keeps no buffer while it waits. */
int echo_serve(bool quiet);

/* libuv's callbacks: 0 and the port. They read into one buffer, since they answer at once; `own`:
 * each connection has its own, as those have that answer later. */
int callbacks_listen(uv_loop_t *loop, bool own, int *port);

#endif /* BENCH_NET_ECHO_H */
