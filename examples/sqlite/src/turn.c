/* Who has the connection: a synchronous call while it runs, or an asynchronous one whose turn it
 * is. Those are served in the order of coming; while there is one, synchronous calls are refused,
 * since they can't wait. */
#include "functions.h"

#include <stdlib.h>

void turn_bury(database *self) {
  while (self->dead != NULL) {
    dead_statement *next = self->dead->next;
    sqlite3_finalize(self->dead->stmt);
    free(self->dead);
    self->dead = next;
  }
}

/* Of what nobody hears of any more. */
static void forget_thrown(database *self) {
  fibril_value thrown = self->thrown;
  self->thrown = fibril_undefined();
  fibril_value_free(thrown);
}

fibril_value database_enter(database *self) {
  if (self->executing || self->busy || self->transaction != 0) return error_busy();
  if (self->sqlite == NULL || self->closing) return error_closed();
  self->executing = true;
  return fibril_undefined();
}

void database_leave(database *self) {
  self->executing = false;
  forget_thrown(self);
  turn_bury(self);
}

/* With the turn. A loop that reads rows at once may go on in any callback, without a turn. */
static fibril_value check(const database *self, uint32_t transaction) {
  if (self->sqlite == NULL) return error_closed();
  if (self->iterators > 0) return error_busy();
  if (transaction != 0 && transaction != self->transaction)
    return error_misuse("TypeError", "ERR_SQLITE_TRANSACTION_ENDED", "The transaction has ended");
  /* What ran now would be outside of any, and stay. */
  if (transaction != 0 && self->begun && sqlite3_get_autocommit(self->sqlite))
    return error_misuse("TypeError", "ERR_SQLITE_TRANSACTION_LOST",
                        "The transaction has been rolled back already");
  return fibril_undefined();
}

int turn_settle(const database *self) {
  int err = 0;
  while (err == 0 && (self->executing || self->held > 0)) err = fibril_moment();
  return err;
}

/* In the line; undefined, or the error of who did not come to the end of it. */
static fibril_value queue_up(database *self, uint32_t transaction) {
  int err = transaction == 0 ? fibril_mutex_lock(&self->session) : 0;
  if (err != 0) return fibril_error(err, NULL);
  err = fibril_mutex_lock(&self->turn);
  bool locked = err == 0;
  if (locked) err = turn_settle(self);
  fibril_value error = err == 0 ? check(self, transaction) : fibril_error(err, NULL);
  if (!fibril_is_error(error)) {
    self->in_transaction = !sqlite3_get_autocommit(self->sqlite);
    self->busy = true;
    return error;
  }
  if (locked) fibril_mutex_unlock(&self->turn);
  if (transaction == 0) fibril_mutex_unlock(&self->session);
  return error;
}

fibril_value turn_take(database *self, uint32_t transaction) {
  if (self->sqlite == NULL || (self->closing && transaction == 0)) return error_closed();
  return queue_up(self, transaction);
}

fibril_value turn_take_next(database *self) {
  return self->sqlite == NULL ? error_closed() : queue_up(self, 0);
}

/* A backup is in the line anew for each step, behind this if it came at once. */
fibril_value turn_take_last(database *self) {
  self->closing = true;
  int err = self->backups > 0 ? fibril_event_wait(&self->copied, -1) : 0;
  fibril_value error = err == 0 ? queue_up(self, 0) : fibril_error(err, NULL);
  if (fibril_is_error(error)) self->closing = false;
  return error;
}

void turn_give(database *self, uint32_t transaction) {
  forget_thrown(self);
  turn_bury(self);
  if (self->groups != NULL) groups_sweep(self);
  if (self->sqlite != NULL) self->in_transaction = !sqlite3_get_autocommit(self->sqlite);
  self->busy = false;
  fibril_mutex_unlock(&self->turn);
  if (transaction == 0) fibril_mutex_unlock(&self->session);
}
