#include "leaks.h"

#include "../future/failures.h"
#include "../switch/settings.h"
#include "loop.h"

#include <stdio.h>

void fibril__leaks_begin(fibril_loop *loop) {
  if (fibril__setting_is_on("FIBRIL_LEAKS")) fibril_loop_report_leaks(loop);
}

int fibril_loop_report_leaks(fibril_loop *loop) {
  return fibril__failures_begin(loop);
}

static void report_coroutine(const fibril_inspection *about, void *arg) {
  char what[128] = "";
  (void)arg;
  if (about->on != NULL && about->on[0] != '\0')
    snprintf(what, sizeof what, " of \"%.100s\"", about->on);
  else if (about->fd >= 0)
    snprintf(what, sizeof what, " of descriptor %d", about->fd);
  if (about->waits_for != NULL)
    fprintf(stderr, "fibril: never finished: coroutine \"%s\", waiting %.0f ms for %s%s\n",
            about->name, about->waited, about->waits_for, what);
  else
    fprintf(stderr, "fibril: never finished: coroutine \"%s\", %s\n", about->name, about->state);
}

static void report_failure(const char *name, fibril_value error) {
  bool named = name[0] != '\0';
  fprintf(stderr, "fibril: never read: a future%s%s%s failed: %s\n",
          named ? " of coroutine \"" : "", name, named ? "\"" : "", fibril_error_message(error));
}

void fibril__leaks_report(fibril_loop *loop) {
  fibril__whole *whole = fibril__whole_of(loop);
  fibril__failures *failures = whole->clients.futures.failures;
  if (failures == NULL || whole->leaks_reported) return;
  whole->leaks_reported = true;
  fibril_loop_inspect(loop, report_coroutine, NULL);
  fibril__failures_each(failures, report_failure);
  fflush(stderr);
}
