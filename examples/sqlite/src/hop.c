/* From a thread of the pool to the loop's, where JavaScript is. The thread waits meanwhile, so that
 * SQLite, which it is in, may be asked there. */
#include "functions.h"

#include <stdlib.h>

/* Freed by who comes last: the thread may be told to give up before the loop comes to it. */
typedef struct {
  database *db;
  void (*fn)(void *arg);
  void *arg;
  bool done, abandoned;
} call;

static void run(void *arg) {
  call *self = arg;
  database *db = self->db;
  uv_mutex_lock(&db->mutex);
  bool abandoned = self->abandoned;
  uv_mutex_unlock(&db->mutex);
  if (abandoned) {
    free(self);
    return;
  }
  self->fn(self->arg);
  uv_mutex_lock(&db->mutex);
  self->done = true;
  uv_cond_signal(&db->called);
  uv_mutex_unlock(&db->mutex);
}

static bool call_there(database *db, call *self) {
  if (db->job->stopped || fibril_post(db->env->poster, run, self) != 0) {
    free(self);
    return false;
  }
  uv_mutex_lock(&db->mutex);
  while (!self->done && !db->leaving) uv_cond_wait(&db->called, &db->mutex);
  bool done = self->done;
  self->abandoned = !done;
  uv_mutex_unlock(&db->mutex);
  if (done) free(self);
  return done;
}

bool hop(database *db, void (*fn)(void *arg), void *arg) {
  if (db->job == NULL) {
    fn(arg);
    return true;
  }
  call *self = malloc(sizeof *self);
  if (self == NULL) return false;
  *self = (call){.db = db, .fn = fn, .arg = arg};
  return call_there(db, self);
}

/* The process waits for the pool's threads, and they for the loop, which turns no more. */
fibril_value leave_all(fibril_args *args) {
  (void)args;
  for (database *db = environment_here()->first; db != NULL; db = db->next) {
    if (db->job == NULL) continue;
    db->job->stopped = true;
    sqlite3_interrupt(db->sqlite);
    uv_mutex_lock(&db->mutex);
    db->leaving = true;
    uv_cond_broadcast(&db->called);
    uv_mutex_unlock(&db->mutex);
  }
  return fibril_undefined();
}
