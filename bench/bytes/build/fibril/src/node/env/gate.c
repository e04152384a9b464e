#include "gate.h"

#include "../../core/value/error.h"

static const char not_ready_code[] = "ERR_FIBRIL_NOT_READY";

void fibril__gate_shut(fibril__env *self) {
  self->barred = true;
}

void fibril__gate_begin(fibril__env *self, fibril_fn init, void *arg) {
  static const fibril_spawn_options options = {.size = sizeof options,
                                               .name = "fibril_module_init"};
  self->gate.init = fibril_loop_spawn(self->loop, init, arg, &options);
}

void fibril__gate_end(fibril__env *self) {
  if (self->gate.init != NULL) fibril_future_unref(self->gate.init);
  self->gate.init = NULL;
}

static bool init_has_ended(const fibril__env *self) {
  return self->gate.init != NULL && fibril_future_done(self->gate.init);
}

/* Its error, borrowed; undefined: calls just begin from here on, if none waits that came before. */
static fibril_value look_at_init(fibril__env *self) {
  fibril_value result = fibril_future_result(self->gate.init);
  if (fibril__is_error(result)) return result;
  if (self->gate.waiting == 0) self->barred = self->exiting;
  return fibril_undefined();
}

/* Init's end wakes all that wait, in their order. Who comes before the last of them has run queues
 * up behind it. */
static fibril_value wait_in_turn(fibril__env *self) {
  if (!init_has_ended(self)) return fibril_await(self->gate.init);
  int err = self->gate.waiting > 1 ? fibril_pass() : 0;
  return err == 0 ? fibril_undefined() : fibril__error_code(err);
}

fibril_value fibril__gate_wait(fibril__env *self) {
  if (self->gate.init == NULL)
    return fibril_error_type("Error", not_ready_code, "The addon has not been loaded");
  self->gate.waiting++;
  fibril_value result = wait_in_turn(self);
  self->gate.waiting--;
  if (!init_has_ended(self)) return result; /* the call was cancelled before */
  fibril_value failure = look_at_init(self);
  return fibril__is_error(failure) || !fibril__is_error(result) ? failure : result;
}

fibril_value fibril__gate_refusal(fibril__env *self, const char *name) {
  if (self->exiting) return fibril__error_code(FIBRIL_ECLOSED);
  if (init_has_ended(self)) return fibril_value_dup(look_at_init(self));
  return fibril_error_type(
      "Error", not_ready_code,
      "\"%s\" was called before its addon is ready: what is synchronous can't wait "
      "for that, as asynchronous functions do",
      name);
}
