/* How a coroutine is driven, reduced to its idea: a generator yields futures, and every future gets
 * a callback that sends its result back in. fibril_await does better: it does not recurse and knows
 * errors. */
#include "programs.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct {
  fibril_generator *generator;
  fibril_future *ended;
  fibril_future *waited_for; /* by callback `id`; the generator owns it */
  uint64_t id;
} runner;

static fibril_value sleep_then(void *word) {
  int err = fibril_sleep(5);
  return err != 0 ? fibril_error(err, NULL) : fibril_string(word, FIBRIL_AUTO_LENGTH);
}

/* Yields futures and is sent their results. */
static fibril_value program(fibril_generator *generator, void *arg) {
  static char *words[] = {"one", "two", "three"};
  (void)arg;
  for (int i = 0; i < 3; i++) {
    fibril_future *future = fibril_spawn(sleep_then, words[i], NULL);
    fibril_value answer = fibril_yield(generator, fibril_pointer(future));
    if (!fibril_is_error(answer))
      printf("the generator got %s\n", fibril_value_string(answer, NULL));
    fibril_future_unref(future);
    if (fibril_is_error(answer)) return answer;
  }
  return fibril_undefined();
}

static void run(runner *self, fibril_value next);

static void on_done(fibril_future *future, void *arg) {
  runner *self = arg;
  self->waited_for = NULL;
  run(self, fibril_future_result(future));
}

static void run(runner *self, fibril_value next) {
  fibril_value yielded;
  int status = fibril_generator_send(self->generator, next, &yielded);
  if (status == FIBRIL_YIELDED) {
    self->waited_for = fibril_value_pointer(yielded);
    status = fibril_future_add_done_callback(self->waited_for, on_done, self, &self->id);
  } else {
    fibril_future_set_result(self->ended, yielded);
  }
  if (status < 0) fibril_future_set_error(self->ended, status);
}

fibril_value simplified_runner(fibril_args *args) {
  fibril_loop *loop = fibril_loop_current();
  runner self = {fibril_generator_new(loop, program, NULL, NULL), fibril_future_new(loop), NULL, 0};
  fibril_value result = fibril_error(UV_ENOMEM, NULL);
  (void)args;
  if (self.generator != NULL && self.ended != NULL) {
    run(&self, fibril_undefined());
    printf("the runner has returned\n");
    result = fibril_value_dup(fibril_await(self.ended));
  }
  /* Cancelled, it leaves before the generator has ended. */
  if (self.waited_for != NULL) fibril_future_remove_done_callback(self.waited_for, self.id);
  if (self.generator != NULL) fibril_generator_unref(self.generator);
  if (self.ended != NULL) fibril_future_unref(self.ended);
  return result;
}
