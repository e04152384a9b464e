/* The report of leaks, for who asked for it: coroutines that have not ended when their loop does,
 * and futures that failed and were never read. */
#include "core.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A future that failed, until it is freed. */
typedef struct failure failure;
struct failure {
  failure *next;
  fibril_future *future;
  char name[]; /* of the coroutine whose result it was */
};

struct fibril__leaks {
  failure *first;
  bool reported;
};

void fibril__leaks_begin(fibril_loop *loop) {
  const char *wanted = getenv("FIBRIL_LEAKS");
  if (wanted != NULL && strcmp(wanted, "1") == 0) fibril_loop_report_leaks(loop);
}

int fibril_loop_report_leaks(fibril_loop *loop) {
  if (loop->leaks == NULL) loop->leaks = calloc(1, sizeof *loop->leaks);
  return loop->leaks == NULL ? UV_ENOMEM : 0;
}

/* Without memory the report is one line shorter. */
void fibril__leaks_failed(fibril_future *future, const char *name) {
  struct fibril__leaks *leaks = future->loop->leaks;
  size_t size = strlen(name) + 1;
  failure *one = malloc(sizeof *one + size);
  if (one == NULL) return;
  one->next = leaks->first;
  one->future = future;
  memcpy(one->name, name, size);
  leaks->first = one;
}

void fibril__leaks_freed(fibril_future *future) {
  failure **link = &future->loop->leaks->first;
  while (*link != NULL && (*link)->future != future) link = &(*link)->next;
  failure *one = *link;
  if (one == NULL) return;
  *link = one->next;
  free(one);
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

void fibril__leaks_report(fibril_loop *loop) {
  if (loop->leaks == NULL || loop->leaks->reported) return;
  loop->leaks->reported = true;
  fibril_loop_inspect(loop, report_coroutine, NULL);
  for (const failure *one = loop->leaks->first; one != NULL; one = one->next) {
    fibril_value error = one->future->value;
    if (one->future->read || fibril_error_code(error) == UV_ECANCELED) continue;
    bool named = one->name[0] != '\0';
    fprintf(stderr, "fibril: never read: a future%s%s%s failed: %s\n",
            named ? " of coroutine \"" : "", one->name, named ? "\"" : "",
            fibril_error_message(error));
    one->future->read = true; /* it is told once */
  }
  fflush(stderr);
}
