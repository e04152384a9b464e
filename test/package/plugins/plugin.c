/* A plugin that brings a copy of fibril of its own, linked by somebody who has never heard of
 * -z nodelete. */
#include <fibril.h>

static void job(void *arg) {
  ++*(int *)arg;
}

static fibril_value work(void *arg) {
  (void)arg;
  int count = 0;
  int err = fibril_work(job, &count);
  return err != 0 ? fibril_error(err, NULL) : fibril_number(count);
}

/* 1 when a job in the pool had its turn. */
__attribute__((visibility("default"))) int plugin_run(void) {
  uv_loop_t uv;
  fibril_loop *loop;
  fibril_value result;
  if (uv_loop_init(&uv) != 0 || fibril_loop_new(&uv, &loop) != 0) return -1;
  int err = fibril_loop_run_sync(loop, work, NULL, 0, &result);
  fibril_loop_close(loop, NULL, NULL);
  uv_run(&uv, UV_RUN_DEFAULT);
  if (uv_loop_close(&uv) != 0 || err != 0) return -1;
  return (int)fibril_value_number(result);
}
