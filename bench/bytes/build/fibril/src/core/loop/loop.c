#include "loop.h"

#include "../future/failures.h"
#include "../scheduler/trace.h"
#include "../switch/overflow.h"
#include "host.h"
#include "leaks.h"
#include "turn.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- The host ---- */

static void log_to_host(fibril_loop *loop, const char *message, fibril_value error) {
  const fibril__whole *whole = fibril__whole_of(loop);
  if (whole->log != NULL)
    whole->log(message, fibril__value_borrow(error), whole->log_arg);
  else
    fprintf(stderr, "fibril: %s: %s\n", message, fibril_error_message(error));
}

static void free_whole(fibril_loop *loop) {
  fibril__whole *whole = fibril__whole_of(loop);
  fibril__failures_free(whole->clients.futures.failures);
  fibril__ready_free(&loop->ready);
  free(whole);
}

static const fibril__host uv_host = {
    .activate = fibril__host_activate,
    .arm = fibril__host_arm,
    .log = log_to_host,
    .hold = fibril__post_hold,
    .release = fibril__post_release,
    .gone = free_whole,
};

/* ---- Making one ---- */

int fibril_loop_new(uv_loop_t *uv, fibril_loop **out) {
  fibril__whole *whole = calloc(1, sizeof *whole);
  if (whole == NULL) return UV_ENOMEM;
  fibril_loop *loop = &whole->clients.loop;
  int err = fibril__scheduler_init(loop, uv, &uv_host);
  if (err == 0) err = fibril__post_init(loop);
  if (err != 0) {
    fibril__ready_free(&loop->ready);
    free(whole);
    return err;
  }
  fibril__futures_init(loop);
  fibril__groups_init(loop);
  fibril__turn_init(loop);
  fibril__handles_init(loop);
  fibril__leaks_begin(loop);
  fibril__trace_begin();
  fibril__overflow_attach();
  fibril__here_attach();
  *out = loop;
  return 0;
}

/* ---- Closing ---- */

int fibril_loop_close(fibril_loop *loop, void (*closed)(void *arg), void *arg) {
  if (fibril__whole_of(loop)->upper.flush != NULL) return UV_EPERM;
  return fibril__loop_close(loop, closed, arg);
}

int fibril__loop_close(fibril_loop *loop, void (*closed)(void *arg), void *arg) {
  if (loop->state != FIBRIL__OPEN) return FIBRIL_ECLOSED;
  fibril__leaks_report(loop);
  fibril__whole_of(loop)->closing = (fibril__closing){.closed = closed, .arg = arg};
  fibril__scheduler_close(loop);
  return 0;
}

/* ---- The layer above ---- */

void fibril__loop_set_upper(fibril_loop *loop, const fibril__upper *upper) {
  fibril__whole_of(loop)->upper = *upper;
  fibril__whole_of(loop)->running.uv = true;
}

void fibril__loop_keep_signal(fibril_loop *loop, int signal) {
  fibril__whole_of(loop)->upper.signal = signal;
}

void fibril__loop_attach(fibril_loop *loop, const void *key, fibril__attachment *attachment) {
  fibril__whole *whole = fibril__whole_of(loop);
  attachment->key = key;
  attachment->next = whole->attachments;
  whole->attachments = attachment;
}

/* ---- Small things ---- */

uv_loop_t *fibril_loop_uv(const fibril_loop *loop) {
  return loop->uv;
}

fibril_loop *fibril_loop_current(void) {
  return fibril__loop_here;
}

size_t fibril_loop_coroutines(const fibril_loop *loop) {
  return loop->ready.coroutines;
}

void fibril_loop_set_log(fibril_loop *loop, fibril_log_cb log, void *arg) {
  fibril__whole_of(loop)->log = log;
  fibril__whole_of(loop)->log_arg = arg;
}
