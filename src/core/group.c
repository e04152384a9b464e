/* Groups: children that end before their parent goes on. The first error cancels the others. */
#include "core.h"

#include <stdlib.h>

typedef struct child child;
struct child {
  child *next, *prev;
  fibril_group *group;
  fibril_future *future;
  fibril__callback done;
};

struct fibril_group {
  fibril_coroutine *owner;
  child *children;
  fibril__wait *wait; /* of the parent, for the last child to end */
  bool cancelled;
  fibril_value error; /* the first one, owned */
};

static void cancel_children(fibril_group *group) {
  group->cancelled = true;
  for (child *one = group->children; one != NULL; one = one->next) fibril_cancel(one->future);
}

static void forget(child *one) {
  fibril_group *group = one->group;
  if (one->next != NULL) one->next->prev = one->prev;
  *(one->prev == NULL ? &group->children : &one->prev->next) = one->next;
  fibril_future_unref(one->future);
  free(one);
  if (group->children == NULL && group->wait != NULL) fibril__wake(group->wait, 0);
}

static void take_error(fibril_group *group, fibril_value result) {
  if (!fibril__is_error(result) || fibril__is_error(group->error) || group->cancelled) return;
  group->error = fibril_value_dup(result);
  cancel_children(group);
}

static void on_done(fibril_future *future, void *arg) {
  child *one = arg;
  take_error(one->group, fibril_future_result(future));
  forget(one);
}

typedef struct {
  fibril__wait wait;
  fibril_group *group;
} group_wait;

static void cancel(fibril__wait *wait) {
  cancel_children(FIBRIL__CONTAINER(group_wait, wait, wait)->group);
}

/* Waits for the last child, also when the parent may not wait any more. */
static void wait_for_children(fibril_group *group, fibril_coroutine *self) {
  group_wait w = {{.what = "group", .cancel = cancel}, group};
  if (group->children == NULL) return;
  group->wait = &w.wait;
  fibril__wait_until_woken(self, &w.wait);
  group->wait = NULL;
}

static void end(void *arg) {
  fibril_group *group = arg;
  fibril_coroutine *self = fibril__self();
  cancel_children(group);
  if (group->children != NULL && self->root->generating)
    fibril__fatal("generator \"%s\" has ended on the loop's stack, where it can't wait for the "
                  "children of its group: a coroutine has to close it",
                  fibril__name(self));
  wait_for_children(group, self);
  fibril_value_free(group->error);
  free(group);
}

fibril_group *fibril_group_new(void) {
  fibril_group *group = malloc(sizeof *group);
  if (group == NULL) return NULL;
  *group = (fibril_group){.owner = fibril__self(), .error = fibril_undefined()};
  if (fibril_defer(end, group) == 0) return group;
  free(group);
  return NULL;
}

int fibril_group_spawn(fibril_group *group, fibril_fn fn, void *arg,
                       const fibril_spawn_options *options) {
  if (group->cancelled) return UV_ECANCELED;
  child *one = malloc(sizeof *one);
  if (one == NULL) return UV_ENOMEM;
  fibril_future *future = fibril_spawn(fn, arg, options);
  if (future->loop == NULL) {
    free(one);
    return fibril_error_code(future->value);
  }
  *one = (child){.next = group->children, .group = group, .future = future};
  if (one->next != NULL) one->next->prev = one;
  group->children = one;
  one->done = (fibril__callback){.fn = on_done, .arg = one};
  if (fibril_future_done(future)) {
    on_done(future, one);
    return 0;
  }
  if (group->cancelled) fibril_cancel(future); /* meanwhile, by one that it started */
  fibril__future_watch(future, &one->done);
  return 0;
}

void fibril_group_cancel(fibril_group *group) {
  cancel_children(group);
}

fibril_value fibril_group_wait(fibril_group *group) {
  fibril_coroutine *self = fibril__self();
  int err = fibril__wait_check(self);
  if (err == FIBRIL_ENOTCOROUTINE) return fibril__error_code(err);
  if (group->owner != self) return fibril__error_code(UV_EPERM);
  if (err != 0) cancel_children(group);
  wait_for_children(group, self);
  if (err == 0) err = fibril__wait_check(self);
  return err != 0 ? fibril__error_code(err) : fibril__value_borrow(group->error);
}
