/* libcurl's errors as JavaScript's. */
#ifndef ERROR_H
#define ERROR_H

#include <curl/curl.h>
#include <fibril.h>

/* An Error with the `code` that Node would use for the same, else "ECURL_" and libcurl's name; with
 * libcurl's number as `curl`. `sys` is errno, or 0; `text` is libcurl's own, or "". */
fibril_value error_of_curl(CURLcode code, long sys, const char *text);

#endif
