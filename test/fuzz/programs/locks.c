/* Synchronisation and channels. */
#include "world.h"

static double any_timeout(void) {
  return fuzz_once_in(3) ? NO_TIMEOUT : fuzz_below(6);
}

/* While it waits the mutex is another one's. */
static void wait_for_signal(const player *p, int i) {
  REQUIRE(world.holders[i] == p);
  world.holders[i] = NULL;
  int err = fibril_cond_wait(&world.conds[fuzz_below(CONDS)], &world.mutexes[i], fuzz_below(4));
  REQUIRE(err != UV_EPERM && world.holders[i] == NULL);
  world.holders[i] = p;
}

void step_mutex(player *p) {
  int i = fuzz_below(MUTEXES), before = p->next_mutex;
  if (p->generating || i < before) return; /* the root of a generator may hold some */
  int err = fibril_mutex_lock(&world.mutexes[i]);
  if (err != 0) {
    player_waited(p, err, false);
    return;
  }
  REQUIRE(world.holders[i] == NULL);
  world.holders[i] = p;
  p->next_mutex = i + 1;
  p->locks++;
  if (fuzz_once_in(2)) player_steps(p, 1);
  if (fuzz_once_in(3) && p->locks == 1) wait_for_signal(p, i);
  p->locks--;
  p->next_mutex = before;
  REQUIRE(world.holders[i] == p);
  world.holders[i] = NULL;
  REQUIRE(fibril_mutex_unlock(&world.mutexes[i]) == 0);
}

void step_signal(player *p) {
  (void)p;
  switch (fuzz_below(4)) {
    case 0: fibril_cond_signal(&world.conds[fuzz_below(CONDS)]); break;
    case 1: fibril_cond_broadcast(&world.conds[fuzz_below(CONDS)]); break;
    case 2: fibril_event_set(&world.events[fuzz_below(EVENTS)]); break;
    default: fibril_event_clear(&world.events[fuzz_below(EVENTS)]); break;
  }
}

void step_event(player *p) {
  player_waited(p, fibril_event_wait(&world.events[fuzz_below(EVENTS)], fuzz_below(4)), true);
}

void step_sem(player *p) {
  int i = fuzz_below(SEMS), err = fibril_sem_wait(&world.sems[i], fuzz_below(5));
  if (err != 0) {
    player_waited(p, err, true);
    return;
  }
  REQUIRE(++world.inside[i] <= i + 1);
  if (fuzz_once_in(2)) fibril_moment();
  world.inside[i]--;
  REQUIRE(fibril_sem_post(&world.sems[i]) == 0);
}

void step_wait_group(player *p) {
  fibril_wait_group *group = &world.wait_groups[fuzz_below(WAIT_GROUPS)];
  if (fuzz_once_in(2)) {
    player_waited(p, fibril_wait_group_wait(group, fuzz_below(4)), true);
    return;
  }
  REQUIRE(fibril_wait_group_add(group, 1) == 0);
  fibril_pass();
  REQUIRE(fibril_wait_group_done(group) == 0);
}

/* What was sent is received or still there: neither lost nor there twice, however a wait ends. */
void step_send(player *p) {
  int i = fuzz_below(CHANNELS);
  int err = fibril_channel_send(world.channels[i], value_payload(), fuzz_below(5));
  if (err == 0)
    world.sent[i]++;
  else
    player_waited(p, err, true);
}

void step_receive(player *p) {
  int i = fuzz_below(CHANNELS);
  fibril_value value;
  double timeout = any_timeout();
  if (p->locks > 0 && timeout < 0) timeout = 1;
  int err = fibril_channel_receive(world.channels[i], &value, timeout);
  if (err == 0) {
    world.received[i]++;
    REQUIRE(fibril_value_kind(value) == FIBRIL_BUFFER);
    value_read(value);
    fibril_value_free(value);
  } else {
    REQUIRE(fibril_value_kind(value) == FIBRIL_UNDEFINED);
    player_waited(p, err, timeout >= 0);
  }
}
