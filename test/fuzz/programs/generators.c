/* Generators: called by coroutines, where a wait suspends the whole chain, and from the loop's
 * stack, where nothing can wait. */
#include "world.h"

#include <stdlib.h>

generated *generated_new(const player *p) {
  generated *g = calloc(1, sizeof *g);
  REQUIRE(g != NULL);
  g->bound = p == NULL || p->bound;
  g->depth = p == NULL ? 0 : p->depth + 1;
  g->generator = fibril_generator_new(world.loop, player_generate, g, player_options());
  if (g->generator != NULL) return g;
  free(g);
  return NULL;
}

void generated_free(void *arg) {
  generated *g = arg;
  g->closing = true;
  fibril_generator_unref(g->generator);
  free(g);
}

static void free_on_loop(void *arg) {
  ((generated *)arg)->bound = true;
  generated_free(arg);
}

/* No error: one of UV_ECANCELED looks as if it was closed. */
static fibril_value any_to_send(void) {
  fibril_value value = value_any(2);
  if (!fibril_is_error(value)) return value;
  fibril_value_free(value);
  return fibril_null();
}

fibril_value generated_call(generated *g, const player *p) {
  fibril_value value;
  g->masked = p != NULL && p->masks > 0;
  int status = fuzz_once_in(2) ? fibril_generator_next(g->generator, &value)
                               : fibril_generator_send(g->generator, any_to_send(), &value);
  value_read(value);
  REQUIRE(status == FIBRIL_YIELDED || status == FIBRIL_ENOTSTARTED || status == FIBRIL_DONE);
  return value;
}

/* With a lock held it might wait for one that waits for it. */
void step_generator(player *p) {
  if (p->locks > 0 || !player_may_start(p)) return;
  generated *g = generated_new(p);
  if (g == NULL) return;
  for (int calls = fuzz_below(7); calls > 0; calls--) {
    generated_call(g, p);
    if (fuzz_once_in(3)) player_steps(p, 1);
  }
  if (fuzz_once_in(3) && !g->grouped) /* one that has a group is for a coroutine to close */
    fibril_on_loop(free_on_loop, g);
  else
    generated_free(g);
}

static void call_from_loop(void *arg) {
  (void)arg;
  generated *g = generated_new(NULL);
  if (g == NULL) return;
  for (int calls = fuzz_below(7); calls > 0; calls--) generated_call(g, NULL);
  generated_free(g);
}

void step_bound_generator(player *p) {
  if (p->depth < 5) fibril_on_loop(call_from_loop, NULL);
}
