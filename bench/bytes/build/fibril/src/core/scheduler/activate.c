#include "scheduler.h"

void fibril__loop_activate(fibril_loop *loop) {
  if (!loop->ready.awake) loop->ready.awake = loop->host->activate(loop);
}
