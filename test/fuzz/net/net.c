/* What can be done, and what it may give. */
#include "net.h"

#include "../../../src/core/loop/loop.h"
#include "../../../src/core/scheduler/coroutine.h"

#include <stdlib.h>
#include <string.h>

net_state net;

static const struct {
  act *fn;
  int weight;
} ACTS[] = {
    {act_wire, 3},   {act_read, 14}, {act_write, 12},  {act_shutdown, 1},
    {act_close, 1},  {act_hold, 1},  {act_release, 1}, {act_serve, 1},
    {act_client, 2}, {act_udp, 1},   {act_send, 2},    {act_receive, 2},
    {act_lookup, 1}, {act_name, 1},  {act_signal, 1},  {act_finish, 1},
};
enum { ACT_COUNT = sizeof ACTS / sizeof ACTS[0] };

static act *any_act(void) {
  int weights = 0, i = 0;
  for (int k = 0; k < ACT_COUNT; k++) weights += ACTS[k].weight;
  for (int at = fuzz_below(weights); at >= ACTS[i].weight; i++) at -= ACTS[i].weight;
  return ACTS[i].fn;
}

/* Most have a deadline, and all behind a mask: nobody else may ever come. */
int net_act(void) {
  bool masked = fibril__self()->masks > 0;
  bool late = (masked || !fuzz_once_in(30)) && fibril_deadline_push(fuzz_below(40) / 10.0) == 0;
  if (masked && !late) return 0; /* there is no memory for it */
  int err = any_act()();
  if (!late) return err;
  fibril_deadline_pop();
  return err == UV_ETIMEDOUT ? 0 : err;
}

bool net_closing(void) {
  return net.loop->state != FIBRIL__OPEN;
}

int net_judge(int64_t status, bool closed) {
  switch (status) {
    case UV_ECANCELED: return closed ? 0 : UV_ECANCELED;
    case UV_ETIMEDOUT:
    case FIBRIL_ENOTCOROUTINE: return (int)status;
    case FIBRIL_ECLOSED: REQUIRE(net_closing()); return 0;
    case UV_EBADF: REQUIRE(closed); return 0;
    case UV_ENOMEM: REQUIRE(fuzz_fails_in > 0); return 0;
    default: REQUIRE(status >= 0); return 0;
  }
}

void *net_memory(size_t size) {
  int fails_in = fuzz_fails_in;
  fuzz_fails_in = 0;
  void *block = calloc(1, size == 0 ? 1 : size);
  REQUIRE(block != NULL);
  fuzz_fails_in = fails_in;
  return block;
}

void net_begin(fibril_loop *loop) {
  memset(&net, 0, sizeof net);
  net.loop = loop;
}

void net_end(void) {
  for (int i = 0; i < WIRES; i++)
    if (net.wires[i] != NULL) wire_put(net.wires[i]);
  for (int i = 0; i < 2; i++)
    if (net.listeners[i] != NULL) fibril_listener_unref(net.listeners[i]);
  for (int i = 0; i < UDPS; i++)
    if (net.udps[i] != NULL) fibril_udp_unref(net.udps[i]);
}
