/* Iterators drive a generator for JavaScript, and end with their object or their environment. */
#include "iterator.h"

#include "../../core/value/list.h"
#include "../env/gate.h"

#include <stdlib.h>

/* ---- The generator's driver ---- */

static fibril__iterator *iterator_of(fibril__drive *drive) {
  return FIBRIL__CONTAINER(fibril__iterator, drive, drive);
}

static fibril_value run_iterator(fibril__drive *drive) {
  fibril__iterator *iterator = iterator_of(drive);
  if (FIBRIL__UNLIKELY(iterator->env->barred) && !drive->sync) {
    fibril_value refusal = fibril__gate_wait(iterator->env);
    if (fibril__is_error(refusal)) return refusal;
  }
  return fibril__generator_of(iterator->args.callee)->generate(&iterator->args, &drive->generator);
}

/* JavaScript is told that there is an item, or the end, and comes for it. */
static void iterator_offered(fibril__drive *drive) {
  const fibril__iterator *iterator = iterator_of(drive);
  fibril__calls_settle(iterator->env, iterator->slot, fibril_undefined());
}

/* For the next flush, which runs on the loop's stack, outside of finalizers. */
static void queue_unheld(fibril__iterator *iterator) {
  fibril__iterators *iterators = fibril__iterators_of(iterator->env);
  if (iterator->queued) return;
  iterator->queued = true;
  iterator->next_unheld = iterators->unheld;
  iterators->unheld = iterator;
  fibril__loop_want_flush(iterator->env->loop);
}

/* Only queues: it may run on the coroutine's stack. */
static void iterator_ended(fibril__drive *drive) {
  fibril__iterator *iterator = iterator_of(drive);
  fibril__args_free(&iterator->args);
  fibril__drive_offer(drive);
  if (!iterator->held) queue_unheld(iterator);
}

static const fibril__driver iterator_driver = {run_iterator, iterator_offered, iterator_ended};

/* ---- What is asked of it ---- */

/* One that never ran just ends. */
static void end_fresh(fibril__iterator *iterator) {
  if (!iterator->drive.fresh) return;
  fibril__drive_skip(&iterator->drive);
  fibril__args_free(&iterator->args);
}

bool fibril__iterator_throw(fibril__iterator *iterator, fibril_value error) {
  fibril__drive *drive = &iterator->drive;
  fibril__drive_drop_items(drive);
  end_fresh(iterator);
  bool ended = fibril__drive_has_ended(drive);
  if (ended)
    fibril_value_free(error);
  else
    fibril__drive_throw(drive, error);
  return !ended;
}

void fibril__iterator_unwind(fibril__iterator *iterator) {
  end_fresh(iterator);
  fibril__drive_close(&iterator->drive);
}

/* ---- Making and ending one ---- */

/* What it still has, but its memory. */
static void iterator_discard(fibril__iterator *iterator) {
  end_fresh(iterator);
  fibril__drive_destroy(&iterator->drive);
  FIBRIL__CHAIN_REMOVE(iterator);
  iterator->env = NULL;
  if (!iterator->held) free(iterator);
}

void fibril__iterators_collect(fibril__env *self) {
  fibril__iterators *iterators = fibril__iterators_of(self);
  while (iterators->unheld != NULL) {
    fibril__iterator *iterator = iterators->unheld;
    const fibril__drive *drive = &iterator->drive;
    iterators->unheld = iterator->next_unheld;
    iterator->queued = false;
    if (fibril__drive_is_running(drive)) {
      /* Its end comes here again. */
      if (!fibril__drive_is_closing(drive)) fibril__iterator_unwind(iterator);
      continue;
    }
    int code = fibril_error_code(drive->result);
    if (code != 0 && code != UV_ECANCELED)
      fibril__loop_log(self->loop, "a generator that nobody had any more failed", drive->result);
    iterator_discard(iterator);
  }
}

void fibril__iterators_end(fibril__env *self) {
  fibril__iterators *iterators = fibril__iterators_of(self);
  iterators->unheld = NULL;
  while (iterators->newest != NULL) iterator_discard(iterators->newest);
}

void fibril__iterator_release(fibril__iterator *iterator) {
  iterator->held = false;
  if (iterator->env == NULL)
    free(iterator);
  else
    queue_unheld(iterator);
}

void fibril__iterator_abandon(fibril__iterator *iterator, bool decoded) {
  iterator->held = false;
  if (!decoded) fibril__drive_skip(&iterator->drive);
  iterator_discard(iterator);
}

fibril__iterator *fibril__iterator_new(const fibril__export *callee, fibril__instance *receiver) {
  fibril__env *self = callee->env;
  uint32_t ahead = fibril__generator_of(callee)->ahead, capacity = ahead > 0 ? ahead : 1;
  size_t values = (size_t)callee->value_count + capacity;
  fibril__iterator *iterator = calloc(1, sizeof *iterator + values * sizeof(fibril_value));
  if (iterator == NULL) return NULL;
  const fibril__drive_options options = {
      .name = callee->name,
      .stack_class = callee->stack_class,
      .sync = callee->form == FIBRIL__FORM_GENERATOR,
      .ahead = ahead,
      .capacity = capacity,
      .items = iterator->values + callee->value_count,
      .over = &self->exiting,
  };
  fibril__drive_init(&iterator->drive, self->loop, &iterator_driver, &options);
  iterator->env = self;
  iterator->held = true;
  iterator->args = fibril__args_of(callee, iterator->values, receiver);
  FIBRIL__CHAIN_ADD(&fibril__iterators_of(self)->newest, iterator);
  return iterator;
}
