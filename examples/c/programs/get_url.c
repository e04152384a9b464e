/* Three downloads at once: each line is printed when one has finished, the results come in the
 * order of the list, and the whole takes as long as the slowest. The network is a sleep, so that
 * the program needs none. */
#include "programs.h"

#include <stdio.h>

#define COUNT 3

typedef struct {
  const char *url;
  double ms;
} request;

static fibril_value get_url(void *arg) {
  const request *self = arg; /* static: it stays */
  const fibril_loop *loop = fibril_loop_current();
  double start = fibril_loop_now(loop);
  int err = fibril_sleep(self->ms);
  if (err != 0) return fibril_error(err, NULL);
  printf("URL %s took %.2fs to get!\n", self->url, (fibril_loop_now(loop) - start) / 1000);
  return fibril_string(self->url, FIBRIL_AUTO_LENGTH);
}

fibril_value get_url_program(fibril_args *args) {
  static request requests[COUNT] = {{"URL1", 200}, {"URL2", 400}, {"URL3", 100}};
  const fibril_loop *loop = fibril_loop_current();
  double start = fibril_loop_now(loop);
  fibril_future *futures[COUNT];
  (void)args;
  for (int i = 0; i < COUNT; i++) futures[i] = fibril_spawn(get_url, &requests[i], NULL);
  fibril_value error = fibril_value_dup(fibril_await_all(futures, COUNT));
  fibril_value urls = fibril_array(COUNT);
  if (!fibril_is_error(error)) printf("got");
  for (int i = 0; i < COUNT; i++) {
    fibril_value url = fibril_future_result(futures[i]);
    if (!fibril_is_error(error)) printf("%s %s", i > 0 ? "," : "", fibril_value_string(url, NULL));
    fibril_array_push(urls, url);
    fibril_future_unref(futures[i]);
  }
  if (fibril_is_error(error)) return error;
  printf("\ntotal %.2fs\n", (fibril_loop_now(loop) - start) / 1000);
  return urls;
}
