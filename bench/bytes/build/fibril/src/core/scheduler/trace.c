#include "trace.h"

#include "../switch/settings.h"
#include "crowd.h"
#include "wait.h"

#include <stdio.h>

static atomic_uint_fast64_t first_line; /* when it was written, as uv_hrtime */

void fibril__trace_begin(void) {
  if (fibril__setting_is_on("FIBRIL_TRACE")) atomic_fetch_or(&fibril__watch, FIBRIL__WATCH_TRACE);
}

static double ms_since_first_line(void) {
  uint_fast64_t now = uv_hrtime(), first = 0;
  if (atomic_compare_exchange_strong(&first_line, &first, now)) return 0;
  return (double)(now - first) / 1e6;
}

/* In one piece: other threads write, too. */
static void write_line(const char *what, const fibril_coroutine *coroutine, const char *more) {
  char line[512];
  snprintf(line, sizeof line, "fibril: %.3f ms: %s #%llu \"%.100s\"%s%s\n", ms_since_first_line(),
           what, (unsigned long long)coroutine->id, fibril__name(coroutine),
           more[0] == '\0' ? "" : ": ", more);
  fputs(line, stderr);
}

/* Of a coroutine that has not been in a frame nobody knows the number yet. */
static void describe_whom(const fibril_coroutine *whom, char *text, size_t size) {
  if (whom->id == 0)
    snprintf(text, size, " of \"%.100s\"", fibril__name(whom));
  else
    snprintf(text, size, " of #%llu \"%.100s\"", (unsigned long long)whom->id, fibril__name(whom));
}

static void write_wait(const fibril_coroutine *coroutine, const fibril__wait *wait) {
  fibril__wait_report report = {.fd = -1};
  char whom[192] = "", more[320];
  if (wait->kind->describe != NULL) wait->kind->describe(wait, &report);
  if (report.owner != 0) report.on = fibril__coroutine_with_id(coroutine->loop, report.owner);
  if (report.on != NULL)
    describe_whom(report.on, whom, sizeof whom);
  else if (report.fd >= 0)
    snprintf(whom, sizeof whom, " of descriptor %d%s%s", report.fd,
             report.address[0] == '\0' ? "" : ", ", report.address);
  snprintf(more, sizeof more, "%.100s%s", fibril__wait_name(wait), whom);
  write_line("wait", coroutine, more);
}

static void write_wake(const fibril_coroutine *coroutine, const fibril__wait *wait) {
  char more[160];
  bool failed = wait->status < 0;
  snprintf(more, sizeof more, "%.100s%s%s", fibril__wait_name(wait), failed ? ", " : "",
           failed ? fibril_err_name(wait->status) : "");
  write_line("wake", coroutine, more);
}

void fibril__trace_enters(fibril_coroutine *coroutine) {
  const fibril__wait *wait = coroutine->root->wait;
  fibril__coroutine_id(coroutine);
  if (wait != NULL && wait->woken)
    write_wake(coroutine, wait);
  else if (coroutine->context.ip == (void *)fibril__entry)
    write_line("spawn", coroutine, "");
}

void fibril__trace_leaves(const fibril_loop *loop, const fibril__frame *frame) {
  fibril_coroutine *self = loop->current;
  const fibril__wait *wait = self->root->wait;
  if (frame->after == FIBRIL__FINISH) {
    write_line("end", self,
               fibril__is_error(self->result) ? fibril_err_name(fibril_error_code(self->result))
                                              : "");
  } else if (self->state != FIBRIL__ENDED && wait != NULL && !wait->woken) {
    fibril__coroutine_id(self); /* it may have been called, and have come to no frame */
    write_wait(self, wait);
  }
}
