/* The network: what test/fuzz/net does, among everything else. */
#include "world.h"

#include "../net/net.h"

/* Whoever is bound can't wait there; everybody else waits as for anything. */
void step_net(player *p) {
  char byte;
  wire *one = p->bound ? wire_get() : NULL;
  if (one != NULL) {
    REQUIRE(fibril_stream_read(one->ends[0].stream, &byte, 1) < 0);
    wire_put(one);
  }
  if (p->bound) return;
  int err = net_act();
  if (err != 0) player_waited(p, err, false);
}
