/* A transfer: one request on its way, seen from the coroutine that waits for it. libcurl's
 * callbacks only collect; the coroutine looks at what there is whenever there is news. */
#ifndef TRANSFER_H
#define TRANSFER_H

#include <curl/curl.h>
#include <fibril.h>

#include "client.h"
#include "request.h"

typedef struct bytes {
  char *data;
  size_t length, capacity;
} bytes;

typedef struct transfer {
  client *client;
  CURL *easy;
  bool running; /* the multi handle has it */
  bytes head;   /* the lines of the last head, each with its CR LF */
  long status;
  bool has_head;
  bytes body; /* what has come and nobody has taken */
  bool paused;
  bool unwanted; /* the body of an answer that only says where to go */
  size_t dropped;
  bool ended;
  CURLcode code;
  char text[CURL_ERROR_SIZE];
  fibril_event news;
} transfer;

/* 0 or UV_ENOMEM. `self` may not move. */
int transfer_init(transfer *self, client *client);

/* Ends it wherever it is. */
void transfer_free(transfer *self);

/* Starts; the handle has all its options. An error value or undefined. */
fibril_value transfer_start(transfer *self, request *request);

/* Wait for the head of the answer, or for its end without the body. An error value or undefined.
 * Suspend. */
fibril_value transfer_head(transfer *self);
fibril_value transfer_skip_body(transfer *self);

/* Waits for the next piece of the body; undefined at the end. Suspends. */
fibril_value transfer_chunk(transfer *self);

/* The value of a header of the answer, NUL-terminated, to be freed; NULL when it has none. */
char *transfer_header(const transfer *self, const char *name);

/* Told by the client, on the loop's stack: libcurl is through with it. */
void transfer_ended(transfer *self, CURLcode code);

#endif
