#include "data.h"

#include "../scheduler/run.h"
#include "loop.h"

typedef struct {
  fibril_loop *loop;
  fibril__loop_data data;
} releasing;

static void release_before(void *arg) {
  const releasing *before = arg;
  fibril__visit visit = fibril__visit_begin(before->loop);
  before->data.release(before->data.data);
  fibril__visit_end(before->loop, visit);
}

/* What was there is out of the way when its release runs, which may set another, and close the
 * loop and turn it. */
static void put(fibril_loop *loop, fibril__loop_data next) {
  fibril__loop_data *place = &fibril__whole_of(loop)->data;
  releasing before = {loop, *place};
  *place = next;
  if (before.data.data == next.data || before.data.release == NULL) return;
  fibril__loop_ref(loop);
  fibril_on_loop(release_before, &before);
  fibril__loop_unref(loop);
}

int fibril_loop_set_data(fibril_loop *loop, void *data, void (*release)(void *data)) {
  if (fibril__whole_of(loop)->data.over) return FIBRIL_ECLOSED;
  put(loop, (fibril__loop_data){.data = data, .release = data == NULL ? NULL : release});
  return 0;
}

void *fibril_loop_data(const fibril_loop *loop) {
  return fibril__whole_of(loop)->data.data;
}

void fibril__loop_data_end(fibril_loop *loop) {
  put(loop, (fibril__loop_data){.over = true});
}
