/* HTTP through libcurl's multi interface: a call is a coroutine, which asks, follows where it is
 * sent, and hands what comes to JavaScript. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "error.h"
#include "request.h"
#include "transfer.h"

static double number(fibril_args *args, const char *name) {
  return fibril_value_number(fibril_arg_option(args, 1, name));
}

static bool flag(fibril_args *args, const char *name) {
  return fibril_value_boolean(fibril_arg_option(args, 1, name));
}

static const char *text(fibril_args *args, const char *name) {
  return fibril_value_string(fibril_arg_option(args, 1, name), NULL);
}

/* What stays the same wherever the request goes. */
static CURLcode set_options(client *self, CURL *easy, fibril_args *args) {
  bool strict = flag(args, "rejectUnauthorized");
  double connect_timeout = number(args, "connectTimeout");
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  /* A name that is still being looked up when the transfer ends is not waited for. */
  curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
  curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, 64L * 1024);
  curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, 256L * 1024);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, (long)strict);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, strict ? 2L : 0L);
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                   connect_timeout < INT_MAX ? (long)connect_timeout : (long)INT_MAX);
  CURLcode code = curl_easy_setopt(easy, CURLOPT_PROXY, text(args, "proxy"));
  if (code == CURLE_OK && flag(args, "compressed"))
    code = curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "");
  size_t length;
  const void *ca = fibril_value_buffer(fibril_arg_option(args, 1, "ca"), &length);
  if (code != CURLE_OK || ca == NULL) return code;
  char path[32];
  if (client_authority(self, ca, length, path) != 0) return CURLE_SSL_CACERT_BADFILE;
  return curl_easy_setopt(easy, CURLOPT_CAINFO, path);
}

/* Where the answer sends the client, to be freed; NULL when it doesn't. */
static char *location_of(const transfer *self) {
  static const long statuses[] = {301, 302, 303, 307, 308};
  for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++)
    if (self->status == statuses[i]) return transfer_header(self, "location");
  return NULL;
}

static fibril_value go_on(transfer *self, request *request, const char *location) {
  long status = self->status;
  fibril_value error = transfer_skip_body(self);
  if (fibril_is_error(error)) return error;
  CURLcode code = request_redirect(request, status, location);
  if (code != CURLE_OK) return error_of_curl(code, 0, location);
  return transfer_start(self, request);
}

/* From the first request to the head that is JavaScript's: how many times it was sent elsewhere, or
 * an error. */
static fibril_value ask(transfer *self, request *request, fibril_args *args) {
  const char *mode = text(args, "redirect");
  double most = number(args, "maxRedirects");
  fibril_value error = transfer_start(self, request);
  for (double moves = 0; !fibril_is_error(error); moves++) {
    error = transfer_head(self);
    if (fibril_is_error(error)) break;
    char *location = strcmp(mode, "manual") == 0 ? NULL : location_of(self);
    if (location == NULL) return fibril_number(moves);
    if (strcmp(mode, "error") == 0) {
      error = fibril_error_type("Error", "ECURL_REDIRECT", "%s sends elsewhere, to %s",
                                request->href, location);
    } else if (moves >= most) {
      error = error_of_curl(CURLE_TOO_MANY_REDIRECTS, 0, "");
    } else {
      error = go_on(self, request, location);
    }
    free(location);
  }
  return error;
}

static fibril_value head_of(const transfer *self, const request *request, double moves) {
  fibril_value head = fibril_object();
  fibril_object_set(head, "status", fibril_number((double)self->status));
  fibril_object_set(head, "url", fibril_string(request->href, FIBRIL_AUTO_LENGTH));
  fibril_object_set(head, "redirected", fibril_boolean(moves > 0));
  fibril_object_set(head, "lines", fibril_buffer(self->head.data, self->head.length));
  return head;
}

/* The head, then the body in pieces. Whoever does not ask for the next one has the server wait. */
static fibril_value give(transfer *self, request *request, fibril_args *args,
                         fibril_generator *consumer) {
  CURLcode code = set_options(self->client, self->easy, args);
  if (code != CURLE_OK) return error_of_curl(code, 0, "");
  fibril_value moves = ask(self, request, args);
  if (fibril_is_error(moves)) return moves;
  fibril_value next = head_of(self, request, fibril_value_number(moves));
  while (fibril_value_kind(next) != FIBRIL_UNDEFINED) {
    fibril_value error = fibril_yield(consumer, next);
    if (fibril_is_error(error)) return error;
    next = transfer_chunk(self);
  }
  return next;
}

static fibril_value with_transfer(client *self, request *request, fibril_args *args,
                                  fibril_generator *consumer) {
  transfer transfer;
  if (transfer_init(&transfer, self) != 0) return fibril_error(UV_ENOMEM, NULL);
  fibril_value result = give(&transfer, request, args, consumer);
  transfer_free(&transfer);
  return result;
}

static fibril_value client_request(fibril_args *args, fibril_generator *consumer) {
  request request;
  fibril_value timeout = fibril_arg_option(args, 1, "timeout");
  if (fibril_value_kind(timeout) == FIBRIL_NUMBER) {
    int err = fibril_deadline_push(fibril_value_number(timeout));
    if (err != 0) return fibril_error(err, NULL);
  }
  CURLcode code =
      request_init(&request, fibril_arg_string(args, 0), text(args, "method"),
                   fibril_arg_option(args, 1, "headers"), fibril_arg_option(args, 1, "body"));
  fibril_value result = code == CURLE_OK
                            ? with_transfer(fibril_this(args), &request, args, consumer)
                            : error_of_curl(code, 0, "");
  request_free(&request);
  return result;
}

static fibril_value client_new(fibril_args *args) {
  int err =
      client_open(fibril_this(args), fibril_loop_current(), (uint32_t)fibril_arg_integer(args, 0),
                  (uint32_t)fibril_arg_integer(args, 1));
  return err == 0 ? fibril_undefined() : fibril_error(err, NULL);
}

static void client_release(void *state) {
  client_close(state);
}

static void init_libcurl(void) {
  curl_global_init(CURL_GLOBAL_DEFAULT);
}

FIBRIL_MODULE(m) {
  static uv_once_t once =
      UV_ONCE_INIT; /* for all threads; nothing frees it, as nothing unloads it */
  uv_once(&once, init_libcurl);
  fibril_class_options options = {
      .size = sizeof options, .state_size = sizeof(client), .release = client_release};
  fibril_class *clients = fibril_export_class(m, "Client", &options);
  fibril_class_constructor(clients, "(maxConnections: uint32, maxConnectionsPerHost: uint32)",
                           client_new);
  fibril_class_async_generator(
      clients,
      "request(url: string, options: {method: string, headers: bytes, body?: bytes, "
      "redirect: string, maxRedirects: uint32, compressed: boolean, rejectUnauthorized: boolean, "
      "ca?: bytes, proxy: string, connectTimeout: number, timeout?: number, "
      "signal?: AbortSignal}): AsyncGenerator<any>",
      client_request, NULL);
}
