/* Synchronisation between the coroutines of a loop: what is given goes straight to who waits
 * longest, so that nobody can overtake. */
#include "../scheduler/crowd.h"
#include "line.h"

#include <limits.h>

/* ---- Mutex ---- */

static uint64_t owner_of(const fibril__wait *wait) {
  const fibril_line *line = FIBRIL__CONTAINER(const fibril__waiter, wait, wait)->line;
  return FIBRIL__CONTAINER(const fibril_mutex, line, line)->owner;
}

static void describe_mutex(const fibril__wait *wait, fibril__wait_report *report) {
  report->owner = owner_of(wait);
}

static const fibril_coroutine *find_owner(const fibril__wait *wait) {
  return fibril__coroutine_with_id(wait->coroutine->loop, owner_of(wait));
}

static const fibril__wait_kind mutex_kind = {
    .name = "mutex",
    .describe = describe_mutex,
    .blocker = find_owner,
    .blocked = {"its mutex, which", "has"},
    .orphaned = "its mutex, which a coroutine has that has ended",
};
static const fibril__wait_kind condition_kind = {.name = "condition"};
static const fibril__wait_kind event_kind = {.name = "event"};
static const fibril__wait_kind semaphore_kind = {.name = "semaphore"};
static const fibril__wait_kind wait_group_kind = {.name = "wait group"};

static bool owns(const fibril_mutex *mutex, const fibril_coroutine *self) {
  return mutex->owner != 0 && mutex->owner == self->root->id;
}

int fibril_mutex_trylock(fibril_mutex *mutex) {
  fibril_coroutine *self = fibril__self();
  if (self == NULL) return FIBRIL_ENOTCOROUTINE;
  if (mutex->owner != 0) return UV_EBUSY;
  mutex->owner = fibril__coroutine_id(self->root);
  return 0;
}

int fibril_mutex_lock(fibril_mutex *mutex) {
  fibril_coroutine *self = fibril__self();
  int err = fibril__wait_check(self);
  if (err != 0) return err;
  if (owns(mutex, self)) return UV_EBUSY;
  if (fibril_mutex_trylock(mutex) == 0) return 0;
  fibril__waiter waiter;
  return fibril__line_wait(&mutex->line, &waiter, &mutex_kind, -1);
}

static void pass_mutex_on(fibril_mutex *mutex) {
  fibril__waiter *next = fibril__line_next(&mutex->line, 0);
  mutex->owner = next == NULL ? 0 : fibril__coroutine_id(next->wait.coroutine->root);
}

int fibril_mutex_unlock(fibril_mutex *mutex) {
  fibril_coroutine *self = fibril__self();
  if (self == NULL || !owns(mutex, self)) return UV_EPERM;
  pass_mutex_on(mutex);
  return 0;
}

/* ---- Condition ---- */

/* Has the mutex again however the wait ended. */
static void lock_again(fibril_mutex *mutex) {
  fibril__waiter waiter;
  if (fibril_mutex_trylock(mutex) != 0) fibril__line_insist(&mutex->line, &waiter, &mutex_kind);
}

int fibril_cond_wait(fibril_cond *cond, fibril_mutex *mutex, double timeout) {
  fibril__waiter waiter;
  int err = fibril__wait_check(fibril__self());
  if (err != 0) return err;
  if (mutex != NULL && fibril_mutex_unlock(mutex) != 0) return UV_EPERM;
  err = fibril__line_wait(&cond->line, &waiter, &condition_kind, timeout);
  if (mutex != NULL) lock_again(mutex);
  return err;
}

void fibril_cond_signal(fibril_cond *cond) {
  fibril__line_next(&cond->line, 0);
}

void fibril_cond_broadcast(fibril_cond *cond) {
  while (fibril__line_next(&cond->line, 0) != NULL) continue;
}

/* ---- Event ---- */

void fibril_event_set(fibril_event *event) {
  event->set = true;
  while (fibril__line_next(&event->line, 0) != NULL) continue;
}

void fibril_event_clear(fibril_event *event) {
  event->set = false;
}

int fibril_event_wait(fibril_event *event, double timeout) {
  fibril__waiter waiter;
  if (!event->set) return fibril__line_wait(&event->line, &waiter, &event_kind, timeout);
  return fibril__wait_check(fibril__self());
}

/* ---- Semaphore ---- */

int fibril_sem_trywait(fibril_sem *sem) {
  if (sem->value == 0) return UV_EAGAIN;
  sem->value--;
  return 0;
}

int fibril_sem_wait(fibril_sem *sem, double timeout) {
  fibril__waiter waiter;
  int err = fibril__wait_check(fibril__self());
  if (err != 0) return err;
  if (fibril_sem_trywait(sem) == 0) return 0;
  return fibril__line_wait(&sem->line, &waiter, &semaphore_kind, timeout);
}

int fibril_sem_post(fibril_sem *sem) {
  if (fibril__line_next(&sem->line, 0) != NULL) return 0;
  if (sem->value == UINT_MAX) return UV_EOVERFLOW;
  sem->value++;
  return 0;
}

/* ---- Wait group ---- */

int fibril_wait_group_add(fibril_wait_group *group, int delta) {
  int64_t count = (int64_t)group->count + delta;
  if (count < 0 || count > UINT_MAX) return UV_EINVAL;
  group->count = (unsigned)count;
  while (count == 0 && fibril__line_next(&group->line, 0) != NULL) continue;
  return 0;
}

int fibril_wait_group_done(fibril_wait_group *group) {
  return fibril_wait_group_add(group, -1);
}

int fibril_wait_group_wait(fibril_wait_group *group, double timeout) {
  fibril__waiter waiter;
  if (group->count > 0) return fibril__line_wait(&group->line, &waiter, &wait_group_kind, timeout);
  return fibril__wait_check(fibril__self());
}
