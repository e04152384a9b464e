#include "request.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static CURLcode code_of_url(CURLUcode code) {
  switch (code) {
    case CURLUE_OK: return CURLE_OK;
    case CURLUE_OUT_OF_MEMORY: return CURLE_OUT_OF_MEMORY;
    case CURLUE_UNSUPPORTED_SCHEME: return CURLE_UNSUPPORTED_PROTOCOL;
    default: return CURLE_URL_MALFORMAT;
  }
}

/* An absolute URL, or one relative to the last. */
static CURLcode go_to(request *self, const char *url) {
  CURLUcode code = curl_url_set(self->url, CURLUPART_URL, url, CURLU_URLENCODE);
  if (code != CURLUE_OK) return code_of_url(code);
  curl_free(self->href);
  self->href = NULL;
  return code_of_url(curl_url_get(self->url, CURLUPART_URL, &self->href, 0));
}

CURLcode request_init(request *self, const char *url, const char *method, fibril_value headers,
                      fibril_value body) {
  *self = (request){.method = method, .body = body, .keeps_credentials = true};
  self->headers = fibril_value_buffer(headers, NULL);
  self->url = curl_url();
  return self->url == NULL ? CURLE_OUT_OF_MEMORY : go_to(self, url);
}

void request_free(request *self) {
  curl_slist_free_all(self->lines);
  curl_free(self->href);
  curl_url_cleanup(self->url);
}

static bool begins_with(const char *line, const char *name) {
  return strncasecmp(line, name, strlen(name)) == 0;
}

static bool is_sent(const request *self, const char *line) {
  if (begins_with(line, "content-") && fibril_value_kind(self->body) == FIBRIL_UNDEFINED)
    return false;
  return self->keeps_credentials ||
         !(begins_with(line, "authorization:") || begins_with(line, "cookie:") ||
           begins_with(line, "host:") || begins_with(line, "proxy-authorization:"));
}

static bool add_line(request *self, const char *line, size_t length) {
  char *copy = strndup(line, length);
  if (copy == NULL) return false;
  struct curl_slist *lines = self->lines;
  if (is_sent(self, copy)) lines = curl_slist_append(self->lines, copy);
  free(copy);
  if (lines != NULL) self->lines = lines;
  return lines != NULL;
}

static bool has_header(const request *self, const char *name) {
  for (const char *line = self->headers, *end; (end = strchr(line, '\n')) != NULL; line = end + 1)
    if (begins_with(line, name)) return true;
  return false;
}

static bool make_lines(request *self) {
  curl_slist_free_all(self->lines);
  /* What libcurl would add by itself: a wait of a second, and the type of a form. */
  self->lines = curl_slist_append(NULL, "Expect:");
  if (self->lines == NULL) return false;
  if (!has_header(self, "content-type:")) {
    struct curl_slist *lines = curl_slist_append(self->lines, "Content-Type:");
    if (lines == NULL) return false;
    self->lines = lines;
  }
  for (const char *line = self->headers, *end; (end = strchr(line, '\n')) != NULL; line = end + 1)
    if (!add_line(self, line, (size_t)(end - line))) return false;
  return true;
}

CURLcode request_apply(request *self, CURL *easy) {
  if (!make_lines(self)) return CURLE_OUT_OF_MEMORY;
  size_t length = 0;
  const void *body = fibril_value_buffer(self->body, &length);
  bool has_body = fibril_value_kind(self->body) == FIBRIL_BUFFER;
  curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, NULL);
  curl_easy_setopt(easy, CURLOPT_POSTFIELDS, NULL);
  curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
  if (strcmp(self->method, "HEAD") == 0) {
    curl_easy_setopt(easy, CURLOPT_NOBODY, 1L); /* or it would wait for the body */
  } else if (has_body || strcmp(self->method, "POST") == 0) {
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)length);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, length == 0 ? "" : body);
  }
  CURLcode code = CURLE_OK;
  bool known = strcmp(self->method, "GET") == 0 || strcmp(self->method, "HEAD") == 0 ||
               strcmp(self->method, "POST") == 0;
  if (!known) code = curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, self->method);
  if (code == CURLE_OK) code = curl_easy_setopt(easy, CURLOPT_HTTPHEADER, self->lines);
  if (code == CURLE_OK) code = curl_easy_setopt(easy, CURLOPT_URL, self->href);
  return code;
}

/* "https://host:443", to be freed by curl_free; NULL without memory. */
static char *origin_of(CURLU *url) {
  CURLU *origin = curl_url_dup(url);
  char *text = NULL;
  if (origin == NULL) return NULL;
  curl_url_set(origin, CURLUPART_PATH, "/", 0);
  static const CURLUPart rest[] = {CURLUPART_QUERY, CURLUPART_FRAGMENT, CURLUPART_USER,
                                   CURLUPART_PASSWORD, CURLUPART_OPTIONS};
  for (size_t i = 0; i < sizeof rest / sizeof rest[0]; i++) curl_url_set(origin, rest[i], NULL, 0);
  curl_url_get(origin, CURLUPART_URL, &text, CURLU_DEFAULT_PORT);
  curl_url_cleanup(origin);
  return text;
}

static void change_method(request *self, long status) {
  bool is_post = strcmp(self->method, "POST") == 0;
  bool is_read = strcmp(self->method, "GET") == 0 || strcmp(self->method, "HEAD") == 0;
  if (!((status == 303 && !is_read) || ((status == 301 || status == 302) && is_post))) return;
  self->method = "GET";
  self->body = fibril_undefined();
}

CURLcode request_redirect(request *self, long status, const char *location) {
  char *from = origin_of(self->url);
  CURLcode code = from == NULL ? CURLE_OUT_OF_MEMORY : go_to(self, location);
  if (code == CURLE_OK) {
    char *to = origin_of(self->url);
    if (to == NULL || strcasecmp(from, to) != 0) self->keeps_credentials = false;
    curl_free(to);
    change_method(self, status);
  }
  curl_free(from);
  return code;
}
