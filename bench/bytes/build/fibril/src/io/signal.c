/* Signals that are waited for: libuv's handles, and a count of what comes between two waits. */
#include "signal.h"

#include "handle.h"

#include "../core/loop/loop.h"
#include "../core/switch/process.h"
#include "../core/value/list.h"

#include <signal.h>
#include <stdlib.h>

/* One of those that a handle waits for. */
typedef struct watched watched;
struct watched {
  uv_signal_t uv;
  int number;
  bool started;
  watched *next;  /* in the line of those that have come */
  uint64_t count; /* that nobody has been told of */
};

struct fibril_signal {
  fibril__handle handle;
  FIBRIL__FIFO(watched) come; /* each once: one that was told of goes to the end */
  unsigned opened;
  watched signals[];
};

static void describe_signal(const fibril__wait *wait, fibril__wait_report *report) {
  report->unheld = FIBRIL__CONTAINER(const fibril__request, wait, wait)->unheld;
}

static const fibril__wait_kind signal_kind = {.name = "signal", .describe = describe_signal};

/* ---- What was there before ---- */

/* libuv leaves the default behind, whatever there was. Who has come last while its handler is there
 * puts back what the first one found. */

static bool is_default(const struct sigaction *action) {
  return !(action->sa_flags & SA_SIGINFO) && action->sa_handler == SIG_DFL;
}

/* How many of this copy's handles have it; under the process' mutex. */
static unsigned watching[FIBRIL__SIGNALS];

void fibril__signal_ignore(int number) {
  fibril__found_signal *found = &fibril__shared->signals[number];
  struct sigaction now;
  fibril__process_lock();
  bool known = sigaction(number, NULL, &now) == 0;
  if (known && is_default(&now)) {
    now.sa_handler = SIG_IGN;
    sigaction(number, &now, NULL);
  } else if (known && watching[number] > 0 && !found->other) {
    found->before.sa_flags &= ~SA_SIGINFO;
    found->before.sa_handler = SIG_IGN;
    found->other = true;
  }
  fibril__process_unlock();
}

static int start_signal(watched *one, uv_signal_cb callback) {
  fibril__found_signal *found = &fibril__shared->signals[one->number];
  struct sigaction before, now;
  fibril__process_lock();
  int err = sigaction(one->number, NULL, &before) == 0 ? 0 : UV_EINVAL;
  if (err == 0) err = uv_signal_start(&one->uv, callback, one->number);
  if (err == 0 && sigaction(one->number, NULL, &now) == 0 && now.sa_handler != before.sa_handler) {
    found->before = before;
    found->other = !is_default(&before);
  }
  if (err == 0) watching[one->number]++;
  one->started = err == 0;
  fibril__process_unlock();
  return err;
}

static void stop_signal(watched *one) {
  fibril__found_signal *found = &fibril__shared->signals[one->number];
  struct sigaction now;
  fibril__process_lock();
  uv_signal_stop(&one->uv);
  if (one->started) watching[one->number]--;
  one->started = false;
  if (found->other && sigaction(one->number, NULL, &now) == 0 && is_default(&now)) {
    sigaction(one->number, &found->before, NULL);
    found->other = false;
  }
  fibril__process_unlock();
}

/* ---- What comes ---- */

static void on_signal(uv_signal_t *uv, int number) {
  watched *one = FIBRIL__CONTAINER(watched, uv, uv);
  fibril_signal *self = FIBRIL__CONTAINER(fibril_signal, handle, (fibril__handle *)uv->data);
  fibril__request *waiting = fibril__handle_waiting(&self->handle, FIBRIL__READER);
  if (waiting != NULL)
    fibril__request_end(waiting, number);
  else if (one->count++ == 0)
    FIBRIL__FIFO_ADD(&self->come, one);
}

static int take_first(fibril_signal *self) {
  watched *one = self->come.first;
  FIBRIL__FIFO_DROP_FIRST(&self->come);
  if (--one->count > 0) FIBRIL__FIFO_ADD(&self->come, one);
  fibril__handle_moved(&self->handle, 0);
  return one->number;
}

/* ---- Handles ---- */

static void close_signals(fibril__handle *handle) {
  fibril_signal *self = FIBRIL__CONTAINER(fibril_signal, handle, handle);
  for (unsigned i = 0; i < self->opened; i++) {
    stop_signal(&self->signals[i]);
    fibril__handle_close_uv(handle, (uv_handle_t *)&self->signals[i].uv);
  }
}

static void free_signals(fibril__handle *handle) {
  free(FIBRIL__CONTAINER(fibril_signal, handle, handle));
}

static const fibril__handle_type signal_type = {.close = close_signals, .free = free_signals};

/* Those that can't be caught, those of what the thread itself did wrong, the profiler's. */
static bool can_be_waited_for(int number) {
  static const int never[] = {SIGKILL, SIGSTOP, SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGPROF};
  for (size_t i = 0; i < sizeof never / sizeof never[0]; i++)
    if (number == never[i]) return false;
  return number > 0 && number < FIBRIL__SIGNALS;
}

/* Each once, as bits: 0 where one of them can't be waited for, or is the host's. */
static uint64_t set_of_signals(const int *signals, size_t count) {
  const fibril_loop *loop = fibril_loop_current();
  int kept = loop == NULL ? 0 : fibril__whole_of(loop)->upper.signal;
  uint64_t set = 0;
  for (size_t i = 0; i < count; i++) {
    if (!can_be_waited_for(signals[i]) || signals[i] == kept) return 0;
    set |= (uint64_t)1 << (signals[i] - 1);
  }
  return set;
}

static int start_all(fibril_signal *self, uint64_t set) {
  uv_loop_t *uv = self->handle.loop->uv;
  for (int number = 1; number < FIBRIL__SIGNALS; number++) {
    if (!(set >> (number - 1) & 1)) continue;
    watched *one = &self->signals[self->opened];
    one->number = number;
    int err = uv_signal_init(uv, &one->uv);
    if (err != 0) return err;
    self->opened++;
    fibril__handle_opened_uv(&self->handle, (uv_handle_t *)&one->uv);
    err = start_signal(one, on_signal);
    if (err != 0) return err;
  }
  return 0;
}

int fibril_signal_open(const int *signals, size_t count, fibril_signal **out) {
  uint64_t set = signals == NULL || out == NULL ? 0 : set_of_signals(signals, count);
  if (set == 0) return UV_EINVAL;
  size_t different = 0;
  for (uint64_t left = set; left != 0; left &= left - 1) different++;
  fibril_signal *self = calloc(1, sizeof *self + different * sizeof(watched));
  if (self == NULL) return UV_ENOMEM;
  FIBRIL__FIFO_INIT(&self->come);
  int err = fibril__handle_init(&self->handle, &signal_type);
  if (err != 0) {
    free(self);
    return err;
  }
  err = start_all(self, set);
  if (err == 0)
    *out = self;
  else
    fibril__handle_close(&self->handle);
  return err;
}

static bool stop_wait(fibril__request *request) {
  (void)request;
  return true;
}

int fibril_signal_wait(fibril_signal *self) {
  fibril__request request;
  int err = fibril__handle_check(&self->handle);
  if (err != 0) return err;
  if (self->come.first != NULL) return take_first(self);
  err = fibril__handle_begin(&self->handle, FIBRIL__READER, &request, &signal_kind, stop_wait);
  return err != 0 ? err : fibril__handle_wait(&self->handle, FIBRIL__READER, 0);
}

FIBRIL__HANDLE_FUNCTIONS(signal, fibril_signal)
