/* What is spawned runs at once; fibril_await_all waits for the whole. The results have the places
 * or the names of what was started, whichever came first. */
#include "programs.h"

#include <ctype.h>
#include <stdio.h>

typedef struct {
  const char *name;
  double ms;
} request;

static fibril_value fetch(void *arg) {
  request request_ = *(request *)arg; /* its own: the array may be gone when it goes on */
  char upper[32] = "";
  int err = fibril_sleep(request_.ms);
  if (err != 0) return fibril_error(err, NULL);
  printf("%s is there\n", request_.name);
  for (size_t i = 0; i < sizeof upper - 1 && request_.name[i] != '\0'; i++)
    upper[i] = (char)toupper((unsigned char)request_.name[i]);
  return fibril_string(upper, FIBRIL_AUTO_LENGTH);
}

/* Fetches three at once, into an array. */
static fibril_value fetch_list(const request requests[3]) {
  fibril_future *futures[3];
  for (int i = 0; i < 3; i++) futures[i] = fibril_spawn(fetch, (void *)&requests[i], NULL);
  fibril_value error = fibril_value_dup(fibril_await_all(futures, 3)), list = fibril_array(3);
  for (int i = 0; i < 3; i++) {
    fibril_array_push(list, fibril_future_result(futures[i]));
    fibril_future_unref(futures[i]);
  }
  return fibril_is_error(error) ? error : list;
}

/* Fetches two at once, into an object. */
static fibril_value fetch_named(const request requests[2]) {
  fibril_future *futures[2];
  for (int i = 0; i < 2; i++) futures[i] = fibril_spawn(fetch, (void *)&requests[i], NULL);
  fibril_value error = fibril_value_dup(fibril_await_all(futures, 2)), named = fibril_object();
  for (int i = 0; i < 2; i++) {
    fibril_object_set(named, requests[i].name, fibril_future_result(futures[i]));
    fibril_future_unref(futures[i]);
  }
  return fibril_is_error(error) ? error : named;
}

fibril_value parallel(fibril_args *args) {
  static const request list_of[] = {{"first", 60}, {"second", 20}, {"third", 40}};
  static const request named_of[] = {{"slow", 40}, {"quick", 20}};
  (void)args;
  fibril_value list = fetch_list(list_of);
  if (fibril_is_error(list)) return list;
  for (size_t i = 0; i < fibril_array_length(list); i++)
    printf("%zu: %s\n", i, fibril_value_string(fibril_array_get(list, i), NULL));
  fibril_value named = fetch_named(named_of);
  if (fibril_is_error(named)) return named;
  for (int i = 0; i < 2; i++) {
    const char *name = named_of[i].name;
    printf("%s: %s\n", name, fibril_value_string(fibril_object_get(named, name), NULL));
  }
  return fibril_undefined();
}
