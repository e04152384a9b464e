#include "ready.h"

#include <stdlib.h>
#include <uv.h>

#define RING_FIRST 64

static int ring_resize(fibril__ready *ready, size_t places) {
  fibril__task **ring = calloc(places, sizeof(*ring));
  if (ring == NULL) return UV_ENOMEM;
  for (uint64_t i = ready->dequeued; i != ready->enqueued; i++)
    ring[i & (places - 1)] = fibril__ready_at(ready, i);
  free(ready->ring);
  ready->ring = ring;
  ready->mask = places - 1;
  return 0;
}

int fibril__ready_grow(fibril__ready *ready) {
  return ring_resize(ready, ready->ring == NULL ? RING_FIRST : (ready->mask + 1) * 2);
}

/* Only to a quarter and less, so that it does not grow again at once. */
void fibril__ready_shrink(fibril__ready *ready) {
  size_t places = RING_FIRST;
  while (places <= 2 * (ready->coroutines + ready->callbacks)) places *= 2;
  if (places <= (ready->mask + 1) / 4) (void)ring_resize(ready, places); /* or it stays as it is */
}

void fibril__ready_free(fibril__ready *ready) {
  free(ready->ring);
}
