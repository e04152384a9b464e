#include "error.h"

/* Those that an HTTP transfer can end with and that have no name of Node's. */
static const struct {
  CURLcode code;
  const char *name;
} names[] = {
    {CURLE_UNSUPPORTED_PROTOCOL, "ECURL_UNSUPPORTED_PROTOCOL"},
    {CURLE_URL_MALFORMAT, "ECURL_URL_MALFORMAT"},
    {CURLE_WEIRD_SERVER_REPLY, "ECURL_WEIRD_SERVER_REPLY"},
    {CURLE_TOO_MANY_REDIRECTS, "ECURL_TOO_MANY_REDIRECTS"},
    {CURLE_HTTP2, "ECURL_HTTP2"},
    {CURLE_HTTP2_STREAM, "ECURL_HTTP2_STREAM"},
    {CURLE_SSL_CONNECT_ERROR, "ECURL_SSL_CONNECT_ERROR"},
    {CURLE_SSL_CERTPROBLEM, "ECURL_SSL_CERTPROBLEM"},
    {CURLE_SSL_CACERT_BADFILE, "ECURL_SSL_CACERT_BADFILE"},
    {CURLE_PEER_FAILED_VERIFICATION, "ECURL_PEER_FAILED_VERIFICATION"},
    {CURLE_BAD_CONTENT_ENCODING, "ECURL_BAD_CONTENT_ENCODING"},
    {CURLE_PROXY, "ECURL_PROXY"},
};

static const char *name_of(CURLcode code) {
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
    if (names[i].code == code) return names[i].name;
  return "ECURL_OTHER";
}

/* libuv's code for the same, or 0. */
static int uv_code_of(CURLcode code, long sys) {
  switch (code) {
    case CURLE_OUT_OF_MEMORY: return UV_ENOMEM;
    case CURLE_OPERATION_TIMEDOUT: return UV_ETIMEDOUT;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY: return UV_EAI_NONAME;
    case CURLE_COULDNT_CONNECT: return sys != 0 ? -(int)sys : UV_ECONNREFUSED;
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR: return sys != 0 ? -(int)sys : UV_ECONNRESET;
    /* The server hung up, before its answer or within. */
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE: return UV_ECONNRESET;
    default: return 0;
  }
}

fibril_value error_of_curl(CURLcode code, long sys, const char *text) {
  int uv = uv_code_of(code, sys);
  /* Node says ENOTFOUND for every name that has no address. */
  const char *name = uv == UV_EAI_NONAME ? "ENOTFOUND" : uv != 0 ? uv_err_name(uv) : name_of(code);
  fibril_value error = fibril_error_type("Error", name, "%s: %s", name,
                                         text[0] != '\0' ? text : curl_easy_strerror(code));
  fibril_error_set(error, "curl", fibril_number(code));
  return error;
}
