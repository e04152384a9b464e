/* shown at fibril_callback_send: docs/c-api.md */

#include <fibril.h>

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

typedef struct {
  fibril_callback *callback;
  int from;
} counter;

static void *count_in_thread(void *arg) {
  counter *self = arg;
  for (int i = self->from; i > 0; i--) {
    fibril_value number = fibril_number(i);
    if (fibril_callback_send(self->callback, &number, 1, NULL, NULL) != 0) break;
  }
  fibril_callback_unref(self->callback);
  free(self);
  return NULL;
}

/* The calls go on after it has returned. */
static fibril_value countdown(fibril_args *args) {
  counter *self = malloc(sizeof *self);
  if (self == NULL) return fibril_error(UV_ENOMEM, NULL);
  self->from = (int)fibril_arg_integer(args, 0);
  self->callback = fibril_callback_new(fibril_arg(args, 1), NULL);
  pthread_t thread;
  int err = self->callback == NULL ? ENOMEM : pthread_create(&thread, NULL, count_in_thread, self);
  if (err == 0) {
    pthread_detach(thread); /* it ends by itself */
    return fibril_undefined();
  }
  if (self->callback != NULL) fibril_callback_unref(self->callback);
  free(self);
  return fibril_error(uv_translate_sys_error(err), NULL);
}

FIBRIL_MODULE(m) {
  fibril_export(m, "countdown(from: uint32, fn: Function): Promise<void>", countdown);
}
