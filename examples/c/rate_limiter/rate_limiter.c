/* A token bucket: `burst` tokens at once, `rate` new ones a second. Who asks first gets them first.
 */
#include <fibril.h>

typedef struct {
  double rate, burst;
  double tokens, counted_at; /* how many there were, and when */
  unsigned waiting;
  fibril_mutex turn; /* of who is served now; the others stand in line for it */
  fibril_event closed;
} limiter;

static double count_tokens(limiter *self) {
  double now = fibril_loop_now(fibril_loop_current());
  double tokens = self->tokens + (now - self->counted_at) / 1000 * self->rate;
  self->counted_at = now;
  self->tokens = tokens < self->burst ? tokens : self->burst;
  return self->tokens;
}

static fibril_value limiter_new(fibril_args *args) {
  limiter *self = fibril_this(args);
  self->rate = fibril_arg_number(args, 0);
  self->burst = fibril_arg_number(args, 1);
  if (!(self->rate > 0 && self->burst > 0))
    return fibril_error_type("RangeError", "ERR_OUT_OF_RANGE",
                             "The rate and the burst must be greater than 0");
  self->tokens = self->burst;
  self->counted_at = fibril_loop_now(fibril_loop_current());
  return fibril_undefined();
}

/* Waits until there are enough tokens, and takes them. 0, or a negative code. */
static int take_in_turn(limiter *self, double wanted) {
  double missing;
  while (!self->closed.set && (missing = wanted - count_tokens(self)) > 0) {
    int err = fibril_event_wait(&self->closed, missing / self->rate * 1000);
    if (err != 0 && err != UV_ETIMEDOUT) return err;
  }
  if (self->closed.set) return UV_EPIPE;
  self->tokens -= wanted;
  return 0;
}

static fibril_value limiter_take(fibril_args *args) {
  limiter *self = fibril_this(args);
  double wanted = fibril_arg_number(args, 0);
  if (!(wanted >= 0 && wanted <= self->burst))
    return fibril_error_type("RangeError", "ERR_OUT_OF_RANGE",
                             "The number of tokens must be 0 to %g", self->burst);
  self->waiting++;
  int err = fibril_mutex_lock(&self->turn);
  if (err == 0) {
    err = take_in_turn(self, wanted);
    fibril_mutex_unlock(&self->turn);
  }
  self->waiting--;
  if (err == UV_EPIPE) return fibril_error(err, "The rate limiter is closed");
  return err == 0 ? fibril_undefined() : fibril_error(err, NULL);
}

/* Ends the waits of all who are in line. */
static fibril_value limiter_close(fibril_args *args) {
  limiter *self = fibril_this(args);
  fibril_event_set(&self->closed);
  return fibril_undefined();
}

static fibril_value limiter_tokens(fibril_args *args) {
  return fibril_number(count_tokens(fibril_this(args)));
}

static fibril_value limiter_waiting(fibril_args *args) {
  return fibril_number(((limiter *)fibril_this(args))->waiting);
}

FIBRIL_MODULE(m) {
  fibril_class_options options = {.size = sizeof options, .state_size = sizeof(limiter)};
  fibril_class *limiters = fibril_export_class(m, "RateLimiter", &options);
  fibril_class_constructor(limiters, "(rate: number, burst: number = 1)", limiter_new);
  fibril_class_method(limiters,
                      "take(tokens: number = 1, options?: {signal?: AbortSignal}): Promise<void>",
                      limiter_take, NULL);
  fibril_class_method(limiters, "close(): Promise<void>", limiter_close, NULL);
  fibril_class_getter(limiters, "tokens: number", limiter_tokens);
  fibril_class_getter(limiters, "waiting: number", limiter_waiting);
}
