/* Who talks to the server: one coroutine at a time, in the order of coming. */
#include "connection.h"

#include <stdio.h>
#include <string.h>

void turn_stop_watching(connection *self) {
  if (self->watch == NULL) return;
  fibril_mask();
  fibril_cancel(self->watch);
  fibril_await(self->watch);
  fibril_unmask();
  fibril_future_unref(self->watch);
  self->watch = NULL;
}

static fibril_value closed(void) {
  return fibril_error_type("Error", "08003", "The connection has been closed");
}

static fibril_value check(const connection *self, uint32_t transaction) {
  if (self->closing) return closed();
  if (self->reason[0] != '\0') return fibril_error_type("Error", "08006", "%s", self->reason);
  if (transaction != self->transaction && transaction != 0)
    return fibril_error_type("Error", "25P01", "The transaction has ended");
  return fibril_undefined();
}

fibril_value turn_take(connection *self, uint32_t transaction) {
  int err = transaction == 0 ? fibril_mutex_lock(&self->session) : 0;
  if (err != 0) return fibril_error(err, NULL);
  err = fibril_mutex_lock(&self->turn);
  fibril_value error = err == 0 ? fibril_undefined() : fibril_error(err, NULL);
  if (err == 0) {
    turn_stop_watching(self);
    error = check(self, transaction);
    if (!fibril_is_error(error)) return error;
    fibril_mutex_unlock(&self->turn);
  }
  if (transaction == 0) fibril_mutex_unlock(&self->session);
  return error;
}

void turn_give(connection *self, uint32_t transaction) {
  if (self->pq != NULL && self->listeners != NULL) {
    listeners_deliver(self);
    fibril_spawn_options options = {.size = sizeof options, .name = "notifications"};
    self->watch = fibril_spawn(listeners_watch, self, &options);
  }
  fibril_mutex_unlock(&self->turn);
  if (transaction == 0) fibril_mutex_unlock(&self->session);
}

int turn_wait(connection *self, int events) {
  int ready = fibril_poll_wait(self->poll, events);
  return ready < 0 ? ready : 0;
}

/* The poll first: libpq closes the socket. */
void turn_finish(connection *self) {
  if (self->poll != NULL) fibril_poll_close(self->poll);
  self->poll = NULL;
  PQfinish(self->pq);
  self->pq = NULL;
}

fibril_value turn_lose(connection *self) {
  const char *message = PQerrorMessage(self->pq);
  /* libpq has no complaint where it was us who waited too long. */
  if (*message == '\0') message = "The server did not confirm that a query was cancelled";
  snprintf(self->reason, sizeof self->reason, "%.*s", (int)strcspn(message, "\n"), message);
  turn_finish(self);
  listeners_wake(self);
  return self->closing ? closed() : fibril_error_type("Error", "08006", "%s", self->reason);
}
