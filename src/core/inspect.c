/* What goes on in a loop, for people. */
#include "core.h"

typedef struct {
  fibril_inspect_cb each;
  void *arg;
} inspection;

static void inspect_one(fibril_coroutine *coroutine, void *arg) {
  inspection *run = arg;
  bool waits = coroutine->wait != NULL && !coroutine->wait->woken;
  run->each(fibril__name(coroutine), waits ? coroutine->wait->what : NULL, run->arg);
}

void fibril_loop_inspect(fibril_loop *loop, fibril_inspect_cb each, void *arg) {
  inspection run = {each, arg};
  fibril__coroutines_each(loop, inspect_one, &run);
}
