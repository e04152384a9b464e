/* Synchronisation between the coroutines of a loop: what is given goes straight to who waits
 * longest, so that nobody can overtake. */
#include "line.h"

#include <limits.h>

/* ---- Mutex ---- */

const char fibril__what_mutex[] = "mutex";

const fibril_coroutine *fibril__wait_for_owner(const fibril__wait *wait) {
  const fibril_line *line = FIBRIL__CONTAINER(const fibril__waiter, wait, wait)->line;
  return FIBRIL__CONTAINER(const fibril_mutex, line, line)->owner;
}

int fibril_mutex_trylock(fibril_mutex *mutex) {
  fibril_coroutine *self = fibril__self();
  if (self == NULL) return FIBRIL_ENOTCOROUTINE;
  if (mutex->owner != NULL) return UV_EBUSY;
  mutex->owner = self->root;
  return 0;
}

int fibril_mutex_lock(fibril_mutex *mutex) {
  fibril_coroutine *self = fibril__self();
  int err = fibril__wait_check(self);
  if (err != 0) return err;
  if (mutex->owner == self->root) return UV_EBUSY;
  if (fibril_mutex_trylock(mutex) == 0) return 0;
  fibril__waiter waiter;
  return fibril__line_wait(&mutex->line, &waiter, fibril__what_mutex, -1);
}

static void hand_over(fibril_mutex *mutex) {
  fibril__waiter *next = fibril__line_next(&mutex->line, 0);
  mutex->owner = next == NULL ? NULL : next->wait.coroutine->root;
}

int fibril_mutex_unlock(fibril_mutex *mutex) {
  fibril_coroutine *self = fibril__self();
  if (self == NULL || mutex->owner != self->root) return UV_EPERM;
  hand_over(mutex);
  return 0;
}

typedef struct {
  const fibril_coroutine *stuck;
  bool others; /* that may still end, or wake somebody */
} deadlock;

static void find_stuck(fibril_coroutine *coroutine, void *arg) {
  deadlock *found = arg;
  const fibril__wait *wait = coroutine->root->wait;
  if (coroutine->generator != NULL) return;
  if (wait != NULL && wait->what == fibril__what_mutex && wait->cancel == NULL)
    found->stuck = coroutine;
  else
    found->others = true;
}

void fibril__mutexes_check(fibril_loop *loop) {
  deadlock found = {NULL, false};
  fibril__coroutines_each(loop, find_stuck, &found);
  if (found.stuck != NULL && !found.others)
    fibril__fatal("coroutine \"%s\" waits for its mutex, which a coroutine has that has ended: its "
                  "loop can't be closed",
                  fibril__name(found.stuck));
}

/* ---- Condition ---- */

/* Has the mutex again however the wait ended. */
static void lock_again(fibril_mutex *mutex) {
  fibril__waiter waiter;
  if (fibril_mutex_trylock(mutex) != 0)
    fibril__line_insist(&mutex->line, &waiter, fibril__what_mutex);
}

int fibril_cond_wait(fibril_cond *cond, fibril_mutex *mutex, double timeout) {
  fibril__waiter waiter;
  int err = fibril__wait_check(fibril__self());
  if (err != 0) return err;
  if (mutex != NULL && fibril_mutex_unlock(mutex) != 0) return UV_EPERM;
  err = fibril__line_wait(&cond->line, &waiter, "condition", timeout);
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
  if (!event->set) return fibril__line_wait(&event->line, &waiter, "event", timeout);
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
  return fibril__line_wait(&sem->line, &waiter, "semaphore", timeout);
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
  if (group->count > 0) return fibril__line_wait(&group->line, &waiter, "wait group", timeout);
  return fibril__wait_check(fibril__self());
}
