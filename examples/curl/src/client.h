/* A client: libcurl's multi handle on fibril's loop, with the connections that it keeps. */
#ifndef CLIENT_H
#define CLIENT_H

#include <curl/curl.h>
#include <fibril.h>

/* Certificates that somebody passed as text. libcurl wants the name of a file, and takes two
 * connections with the same name for equally safe, so that a name stays with its text for good. */
typedef struct authority {
  struct authority *next;
  int fd; /* memory that looks like a file */
  size_t length;
  char text[];
} authority;

typedef struct client {
  fibril_loop *loop;
  CURLM *multi;
  fibril_timeout timer; /* libcurl's; 0: none */
  authority *authorities;
} client;

/* Suspends nothing; on the loop's stack. 0 or UV_ENOMEM. `self` is zeroed and may not move. */
int client_open(client *self, fibril_loop *loop, uint32_t most, uint32_t most_per_host);

/* Closes the connections. No transfer is left. */
void client_close(client *self);

/* The file of these certificates: 0, with its name in `path`, or a negative code. */
int client_authority(client *self, const void *text, size_t length, char path[32]);

#endif
