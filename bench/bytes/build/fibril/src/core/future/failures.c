#include "failures.h"

#include "clients.h"

#include <stdlib.h>
#include <string.h>

/* A future that failed, until it is freed. */
typedef struct failure failure;
struct failure {
  failure *next;
  fibril_future *future;
  char name[]; /* of the coroutine whose result it was */
};

struct fibril__failures {
  failure *first;
};

int fibril__failures_begin(fibril_loop *loop) {
  fibril__futures *all = fibril__futures_of(loop);
  if (all->failures == NULL) all->failures = calloc(1, sizeof *all->failures);
  return all->failures == NULL ? UV_ENOMEM : 0;
}

void fibril__failures_free(fibril__failures *failures) {
  free(failures);
}

/* Without memory the report is one line shorter. */
void fibril__failures_add(fibril__failures *failures, fibril_future *future, const char *name) {
  size_t size = strlen(name) + 1;
  failure *one = malloc(sizeof *one + size);
  if (one == NULL) return;
  one->next = failures->first;
  one->future = future;
  memcpy(one->name, name, size);
  failures->first = one;
}

void fibril__failures_freed(fibril__failures *failures, const fibril_future *future) {
  failure **link = &failures->first;
  while (*link != NULL && (*link)->future != future) link = &(*link)->next;
  failure *one = *link;
  if (one == NULL) return;
  *link = one->next;
  free(one);
}

void fibril__failures_each(fibril__failures *failures,
                           void (*each)(const char *name, fibril_value error)) {
  for (const failure *one = failures->first; one != NULL; one = one->next) {
    if (one->future->read || fibril_error_code(one->future->value) == UV_ECANCELED) continue;
    each(one->name, one->future->value);
    one->future->read = true;
  }
}
