/* One connection to a Redis server, and whoever waits for it. A coroutine of its own connects and
 * reads; while there is something to write a second one does. Who asks puts a command behind those
 * that wait to be written and a slot behind those that wait for a reply: replies come in that
 * order. */
#ifndef REDIS_CONNECTION_H
#define REDIS_CONNECTION_H

#include <fibril.h>

#include "encode.h"
#include "parse.h"

/* What a client was made with; counted, since a connection may end after its client. */
typedef struct {
  unsigned owners;
  fibril_value host, path, username, password; /* undefined: not given */
  int port, protocol;
  int64_t database;
  double timeout;          /* for connecting */
  double delay, max_delay; /* before connecting again */
  double attempts;         /* to connect again; 0: none */
  limits limits;
} settings;

/* Who waits for a reply; on its own stack. */
typedef struct call {
  struct call *next, **link; /* of those that are to be woken; link == NULL: it is not */
  fibril_coroutine *waiter;
  fibril_value reply;   /* owned; of several the last one */
  fibril_value replies; /* the caller's array for those before; undefined: there are none */
  uint64_t number;
  bool buffers; /* strings as Buffers */
  bool special; /* there is something in the reply that only JavaScript can make */
  bool done;
} call;

/* A reply that will come. */
typedef struct {
  call *call;        /* NULL: nobody wants it any more */
  uint32_t left;     /* replies */
  bool confirmation; /* SUBSCRIBE and the like: their replies are pushed */
} slot;

typedef struct connection connection;

/* Somebody who listens. */
typedef struct subscription {
  struct subscription *next, **link;
  connection *connection;
  fibril_value names; /* an object that has the channels, or patterns, as its keys */
  bool patterns, buffers;
  size_t limit, bytes;   /* messages that may wait before reading stops; bytes of those that do */
  fibril_channel *queue; /* closed: no more will come */
  fibril_value failure;  /* owned: why; undefined: the client was closed */
} subscription;

struct connection {
  unsigned owners;
  settings *settings;
  fibril_loop *loop;
  fibril_future *running; /* the coroutine that connects and reads; NULL: there is none */
  fibril_stream *stream;  /* while it is open */
  fibril_value failure;   /* owned: why it is not open */
  unsigned failures;      /* how many attempts have failed */
  double delay;           /* before the next one */
  bool open, closed;
  bool established;      /* it has been open */
  bool answered;         /* a command, since it is open */
  bool dead;             /* lost, and nobody connects again */
  bool pushes_only;      /* RESP2: whoever has subscribed can do nothing else */
  fibril_cond changed;   /* open, or not */
  unsigned waiting;      /* for that */
  unsigned wanted;       /* by whom: this keeps the process alive */
  fibril_mutex gate;     /* commands are written in the order of coming */
  bytes out;             /* not written yet */
  bytes spare;           /* what has been, to be filled again */
  fibril_future *writer; /* the coroutine that writes, as long as there is something; may be done */
  fibril_cond drained;
  slot *slots; /* a ring; the numbers of the first, and behind the last */
  size_t room;
  uint64_t first, next;
  call *finished, **finished_end; /* to be woken before the reader waits */
  unsigned finished_count;
  subscription *subscriptions;
  fibril_cond calmed; /* a subscription has room again, or does not count */
};

/* connection.c */
connection *connection_new(settings *of);
void connection_unref(connection *self);
/* Waits until it is open, connecting where nobody does yet: undefined, or the error. */
fibril_value connection_open(connection *self);
/* Lets go of the server until somebody needs it again. */
void connection_rest(connection *self);
/* Has what is in `out` written, with all that comes until the end of the turn: 0 or UV_ENOMEM. */
int connection_flush(connection *self);
/* Whoever waits for something keeps the process alive: +1 and -1. */
void connection_want(connection *self, int change);
/* Ends it, and what still waits with an error. The owner's reference stays. */
void connection_close(connection *self);

/* settings, in client.c. */
void settings_unref(settings *self);

/* handshake.c: what comes before commands; undefined or the error. */
fibril_value connection_shake_hands(connection *self, fibril_stream *stream, parser *replies);

/* requests.c */
typedef struct {
  const char *verb;  /* goes before the arguments; NULL: they begin with it */
  fibril_value args; /* an array; of a transaction, an array of such */
  bool transaction;  /* MULTI and EXEC around them; gives an array of all replies but the last */
  bool buffers;      /* strings as Buffers */
  uint32_t confirmations; /* how many are pushed instead of a reply; 0: a reply comes */
} request;
/* Sends it and waits for the reply, which `own` has then, or returns an error. */
fibril_value connection_request(connection *self, const request *what, call *own);
/* Hands a reply to whoever waits for the next one; false where nobody does. */
bool requests_settle(connection *self, fibril_value reply, bool special);
/* One of the confirmations that somebody waits for. */
void requests_confirm(connection *self);
/* Whether the next reply is wanted with Buffers. */
bool requests_want_buffers(const connection *self);
/* Wakes those whose replies have come. In the coroutine that reads, before each of its waits. */
void requests_wake(connection *self);
/* All that wait get this error. */
void requests_fail(connection *self, fibril_value error);

/* messages.c */
/* Room for messages, and a place among those who get them: 0 or UV_ENOMEM. */
int messages_listen(subscription *self);
void messages_leave(subscription *self);
/* The next one as it was pushed, owned: 0, or UV_EOF when no more will come. */
int messages_receive(subscription *self, fibril_value *out);
/* Whether somebody listens to the channel, or the pattern. */
bool messages_have(const connection *self, const char *name, bool patterns);
/* Takes what has been pushed. */
void messages_take(connection *self, fibril_value push);
/* Waits while somebody who listens does not keep up and nobody waits for a reply. */
int messages_wait_for_room(connection *self);
/* No more will come; undefined: because the client was closed. */
void messages_end(connection *self, fibril_value error);

/* errors.c: all have the name RedisError. */
fibril_value error_of_server(const char *text, size_t length);
fibril_value error_closed(void);
/* `call`: what failed with `code`, of the server's place `where` or NULL. */
fibril_value error_connection(int code, const char *call, const char *where);
fibril_value error_protocol(const char *message);
fibril_value error_behind(void);

#endif /* REDIS_CONNECTION_H */
