/* What is behind a JavaScript object. */
#ifndef REDIS_CLIENT_H
#define REDIS_CLIENT_H

#include "connection.h"

typedef struct {
  connection *main;
  connection *pushes;  /* of subscriptions: the same in RESP3, in RESP2 one of their own */
  fibril_value revive; /* owned: the function that makes maps, sets and large numbers */
} client;

/* client.c: results are returned to JavaScript. */
fibril_value client_new(fibril_args *args);
void client_release(void *state);
fibril_value client_open(client *self);
fibril_value client_close(client *self);
fibril_value client_command(client *self, fibril_value args, bool buffers);
/* Why a command can't be sent as it is; undefined where it can. */
fibril_value client_refuse(fibril_value args, bool in_transaction);
/* A reply as JavaScript gets it. */
fibril_value client_revived(const client *self, fibril_value reply, bool special);

/* transact.c */
fibril_value client_transact(client *self, fibril_value commands, bool buffers);

/* subscribe.c */
fibril_value client_subscribe(client *self, fibril_value channels, subscription *own,
                              fibril_generator *generator);

#endif /* REDIS_CLIENT_H */
