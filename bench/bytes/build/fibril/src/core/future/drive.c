#include "drive.h"

#include "../scheduler/run.h"
#include "../scheduler/scope.h"
#include "../value/error.h"

/* ---- Items ---- */

static void push_item(fibril__drive *drive, fibril_value owned) {
  if (drive->count == drive->capacity)
    fibril__fatal("generator \"%s\" has yielded more than there is room for", drive->name);
  drive->items[(drive->first + drive->count++) % drive->capacity] = owned;
}

/* The last one, if nobody has taken it. */
static void take_item_back(fibril__drive *drive) {
  if (drive->count == 0) return;
  drive->count--;
  fibril_value_free(drive->items[(drive->first + drive->count) % drive->capacity]);
}

void fibril__drive_drop_items(fibril__drive *drive) {
  while (drive->count > 0) fibril_value_free(fibril__drive_take(drive));
}

static inline void set_sent(fibril__drive *drive, fibril_value owned) {
  fibril_value_free(drive->generator.sent);
  drive->generator.sent = owned;
}

/* ---- The coroutine's side ---- */

static fibril_value refuse_item(fibril__drive *drive, fibril_value owned, int code) {
  return fibril__generator_refuse(&drive->generator, drive->name, owned, code);
}

static const fibril__wait_kind consumer_kind = {.name = "consumer", .idle = true};

/* Until the consumer asks for more than there is, or has taken something when that was full. */
static int wait_for_consumer(fibril__drive *drive, fibril_coroutine *self) {
  fibril__wait wait = {.kind = &consumer_kind, .cancel = fibril__wait_cancel_now};
  drive->waiting = &wait;
  int err = fibril__wait_until_woken(self, &wait);
  drive->waiting = NULL;
  return drive->generator.closing ? UV_ECANCELED : err;
}

static fibril_value yield_to_driver(fibril_generator *generator, fibril_value value) {
  fibril__drive *drive = FIBRIL__CONTAINER(fibril__drive, generator, generator);
  fibril_coroutine *self = fibril__self();
  if (self == NULL || self != generator->coroutine) {
    fibril_value_free(fibril_value_take(value));
    return fibril__error_code(FIBRIL_ENOTCOROUTINE);
  }
  if (fibril__is_error(value)) return value; /* nobody could tell it from one of next itself */
  value = fibril_value_take(value);
  if (generator->closing || *drive->over) return refuse_item(drive, value, UV_ECANCELED);
  int err = fibril__wait_check(self);
  if (err != 0 && err != FIBRIL_ESYNC) return refuse_item(drive, value, err);
  if (drive->thrown) {
    drive->thrown = false;
    fibril_value_free(value);
    return fibril__value_borrow(generator->sent);
  }
  /* A value may be left of a yield that was cancelled, by one that goes on behind a mask. */
  while (drive->count == drive->capacity) {
    err = wait_for_consumer(drive, self);
    if (err != 0) return refuse_item(drive, value, err);
  }
  set_sent(drive, fibril_undefined());
  push_item(drive, value);
  fibril__drive_offer(drive);
  if (drive->count < drive->ahead) return fibril_undefined();
  err = wait_for_consumer(drive, self);
  if (err == UV_ETIMEDOUT) take_item_back(drive);
  if (err != 0) return fibril__error_code(err);
  drive->thrown = false; /* it was, between its being woken and here */
  return fibril__value_borrow(generator->sent);
}

static fibril_value run_driven(void *arg) {
  fibril__drive *drive = arg;
  return drive->driver->run(drive);
}

static bool end_driven(fibril_coroutine *coroutine, fibril_value result) {
  fibril__drive *drive = coroutine->arg;
  drive->generator.coroutine = NULL;
  drive->result = result;
  drive->driver->ended(drive);
  return false;
}

/* ---- The driver's side ---- */

void fibril__drive_init(fibril__drive *drive, fibril_loop *loop, const fibril__driver *driver,
                        const fibril__drive_options *options) {
  *drive = (fibril__drive){
      .generator = {.loop = loop,
                    .state = FIBRIL__GENERATOR_RUNNING,
                    .special = true,
                    .yield = yield_to_driver},
      .driver = driver,
      .name = options->name,
      .over = options->over,
      .stack_class = options->stack_class,
      .fresh = true,
      .sync = options->sync,
      .capacity = options->capacity,
      .ahead = options->ahead,
      .items = options->items,
  };
}

void fibril__drive_destroy(fibril__drive *drive) {
  fibril__drive_drop_items(drive);
  set_sent(drive, fibril_undefined());
  fibril_value_free(drive->result);
  drive->result = fibril_undefined();
}

int fibril__drive_start(fibril__drive *drive) {
  fibril_coroutine *coroutine;
  int err = fibril__coroutine_prepare(drive->generator.loop, drive->stack_class, 0, &coroutine);
  if (err != 0) return err;
  fibril__coroutine_set(coroutine, drive->name, run_driven, drive);
  fibril__coroutine_on_end(coroutine, end_driven);
  if (drive->sync) fibril__coroutine_generates(coroutine, FIBRIL__SYNCHRONOUS);
  drive->fresh = false;
  drive->generator.coroutine = coroutine;
  fibril__run_now(drive->generator.loop, coroutine);
  return 0;
}

static void resume_driven(fibril__drive *drive) {
  fibril__wait_end(drive->waiting);
  fibril__run_now(drive->generator.loop, drive->generator.coroutine);
}

void fibril__drive_send(fibril__drive *drive, fibril_value owned) {
  set_sent(drive, owned);
  resume_driven(drive);
}

void fibril__drive_throw(fibril__drive *drive, fibril_value owned) {
  set_sent(drive, owned);
  if (fibril__drive_is_suspended(drive))
    resume_driven(drive);
  else
    drive->thrown = true;
}

void fibril__drive_cancel(fibril__drive *drive) {
  if (drive->generator.coroutine != NULL) fibril__coroutine_cancel(drive->generator.coroutine);
}

void fibril__drive_skip(fibril__drive *drive) {
  drive->fresh = false;
}

void fibril__drive_close(fibril__drive *drive) {
  fibril__drive_drop_items(drive);
  drive->generator.closing = true;
  drive->fresh = false;
  if (drive->generator.coroutine == NULL) return;
  bool suspended = fibril__drive_is_suspended(drive);
  if (suspended) fibril__wait_protect(drive->waiting);
  fibril__coroutine_cancel(drive->generator.coroutine);
  if (suspended) resume_driven(drive);
}

fibril_value fibril__drive_take_result(fibril__drive *drive) {
  fibril_value result = drive->result;
  drive->result = fibril_undefined();
  if (!drive->generator.closing || fibril_error_code(result) != UV_ECANCELED) return result;
  fibril_value_free(result);
  return fibril_undefined();
}
