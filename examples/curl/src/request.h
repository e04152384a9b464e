/* What is asked for: a method, a URL, headers, a body, and how these change when the server sends
 * the client elsewhere. */
#ifndef REQUEST_H
#define REQUEST_H

#include <curl/curl.h>
#include <fibril.h>

#include "client.h"

typedef struct request {
  CURLU *url;
  char *href;
  const char *method;
  fibril_value body;        /* a buffer, or undefined */
  const char *headers;      /* "Name: value" lines, each with its newline; then a NUL */
  struct curl_slist *lines; /* those that are sent */
  bool keeps_credentials;   /* false once another origin is asked */
} request;

/* Takes what JavaScript passed; borrowed until request_free. 0 or a libcurl code. */
CURLcode request_init(request *self, const char *url, const char *method, fibril_value headers,
                      fibril_value body);
void request_free(request *self);

/* Sets all of it on a handle. */
CURLcode request_apply(request *self, CURL *easy);

/* Turns it into the request that an answer of `status` with this `location` asks for, as WHATWG's
 * fetch does: 303, and 301 and 302 to a POST, become a GET without a body; another origin gets no
 * Authorization and no Cookie. */
CURLcode request_redirect(request *self, long status, const char *location);

#endif
