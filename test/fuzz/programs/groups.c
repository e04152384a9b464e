/* Groups, which nest as deep as their players do. */
#include "world.h"

void step_group_spawn(player *p) {
  if (p->group == NULL && player_may_start(p) && !p->bound) {
    p->group = fibril_group_new();
    p->owns_group = true;
  }
  if (p->group == NULL || !player_may_start(p)) return;
  int err = fibril_group_spawn(p->group, player_run, player_deeper(p), player_options());
  REQUIRE(err == 0 || err == UV_ECANCELED || err == FIBRIL_ECLOSED || err == UV_EINVAL);
}

/* Not with a lock: a child may wait for it. */
void step_group_wait(player *p) {
  if (p->locks > 0 || !p->owns_group) return;
  fibril_value error = fibril_group_wait(p->group);
  value_read(error);
}

void step_group_cancel(player *p) {
  if (p->owns_group) fibril_group_cancel(p->group);
}
