#include "group.h"

#include "../scheduler/local.h"
#include "../scheduler/wait.h"
#include "../value/error.h"
#include "clients.h"

#include <stdlib.h>

typedef struct child child;
struct child {
  child *next, **link;
  fibril_group *group;
  fibril_future *future;
  fibril__callback done;
};

struct fibril_group {
  fibril_coroutine *owner;
  fibril_group *next; /* in its loop's list */
  child *uncancelled; /* while it is there: the children that are left to be cancelled */
  child *children;
  fibril__wait *wait; /* of the parent, for the last child to end */
  bool cancelled;
  fibril_value error; /* the first one, owned */
};

static fibril__groups *groups_of(const fibril_group *group) {
  return &fibril__clients_of(group->owner->loop)->groups;
}

void fibril__groups_init(fibril_loop *loop) {
  FIBRIL__FIFO_INIT(&fibril__clients_of(loop)->groups.cancelling);
}

/* It may be anywhere in the list. */
static void cancelling_done(fibril_group *group) {
  fibril__groups *all = groups_of(group);
  fibril_group **link = &all->cancelling.first;
  while (*link != NULL && *link != group) link = &(*link)->next;
  if (*link == NULL) return;
  *link = group->next;
  if (all->cancelling.tail == &group->next) all->cancelling.tail = link;
}

/* A child that waits for a group of its own has that one cancelled, and so on: one after the other,
 * however deep they nest. What cancelling calls may end children, and whole groups. */
static void cancel_children(fibril_group *group) {
  fibril__groups *all = groups_of(group);
  if (group->cancelled) return;
  group->cancelled = true;
  if (group->children == NULL) return;
  bool under_way = all->cancelling.first != NULL;
  group->uncancelled = group->children;
  FIBRIL__FIFO_ADD(&all->cancelling, group);
  while (!under_way && (group = all->cancelling.first) != NULL) {
    child *one = group->uncancelled;
    if (one == NULL) {
      cancelling_done(group);
    } else {
      group->uncancelled = one->next;
      fibril_cancel(one->future);
    }
  }
}

static void forget_child(child *one) {
  fibril_group *group = one->group;
  if (group->uncancelled == one) group->uncancelled = one->next;
  FIBRIL__CHAIN_REMOVE(one);
  fibril_future_unref(one->future);
  free(one);
  if (group->children == NULL && group->wait != NULL) fibril__wake(group->wait, 0);
}

static void take_error(fibril_group *group, fibril_value result) {
  if (!fibril__is_error(result) || fibril__is_error(group->error) || group->cancelled) return;
  group->error = fibril_value_dup(result);
  cancel_children(group);
}

static void on_child_done(fibril_future *future, void *arg) {
  child *one = arg;
  take_error(one->group, fibril_future_result(future));
  forget_child(one);
}

typedef struct {
  fibril__wait wait;
  fibril_group *group;
  bool interrupted;
} group_wait;

static const fibril_coroutine *first_child(const fibril__wait *wait) {
  return FIBRIL__CONTAINER(const group_wait, wait, wait)->group->children->future->coroutine;
}

/* Cancelled, it cancels the children, and waits for them. */
static const fibril__wait_kind group_kind = {
    .name = "group",
    .blocker = first_child,
    .blocked = {"its group, in which", "has not ended"},
    .orphaned = "its group",
    .stubborn = true,
};

static void cancel_group_wait(fibril__wait *wait) {
  group_wait *w = FIBRIL__CONTAINER(group_wait, wait, wait);
  w->interrupted = true;
  cancel_children(w->group);
}

/* Waits for the last child, also when the parent has been cancelled. Whether that happened
 * meanwhile. */
static bool wait_for_children(fibril_group *group, fibril_coroutine *self) {
  group_wait w = {{.kind = &group_kind, .cancel = cancel_group_wait}, group, false};
  if (group->children == NULL) return false;
  group->wait = &w.wait;
  fibril__wait_insist(self, &w.wait);
  group->wait = NULL;
  return w.interrupted;
}

static void end_group(void *arg) {
  fibril_group *group = arg;
  fibril_coroutine *self = fibril__self();
  cancel_children(group);
  if (group->children != NULL && !fibril__can_wait(self))
    fibril__fatal("generator \"%s\" has ended on the loop's stack, where it can't wait for the "
                  "children of its group: a coroutine has to close it",
                  fibril__name(self));
  wait_for_children(group, self);
  cancelling_done(group);
  fibril_value_free(group->error);
  free(group);
}

fibril_group *fibril_group_new(void) {
  fibril_group *group = malloc(sizeof *group);
  if (group == NULL) return NULL;
  *group = (fibril_group){.owner = fibril__self(), .error = fibril_undefined()};
  if (fibril_defer(end_group, group) == 0) return group;
  free(group);
  return NULL;
}

void fibril__group_end(fibril_group *group) {
  fibril__defer_now(end_group, group);
}

/* Only of the one that runs the root is what it was. */
static bool may_not_wait(const fibril_coroutine *owner) {
  return fibril__is_synchronous(owner == fibril__self() ? owner->root : owner);
}

int fibril_group_spawn(fibril_group *group, fibril_fn fn, void *arg,
                       const fibril_spawn_options *options) {
  if (group->cancelled) return UV_ECANCELED;
  if (may_not_wait(group->owner)) return FIBRIL_ESYNC;
  child *one = malloc(sizeof *one);
  if (one == NULL) return UV_ENOMEM;
  fibril_future *future = fibril_spawn(fn, arg, options);
  if (future->loop == NULL) {
    free(one);
    return fibril_error_code(future->value);
  }
  *one = (child){.group = group, .future = future};
  FIBRIL__CHAIN_ADD(&group->children, one);
  one->done = (fibril__callback){.fn = on_child_done, .arg = one};
  if (fibril_future_done(future)) {
    on_child_done(future, one);
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
  if (!fibril__can_wait(self)) return fibril__error_code(err);
  if (group->owner != self) return fibril__error_code(UV_EPERM);
  if (err != 0) cancel_children(group);
  if (wait_for_children(group, self) && err == 0) err = fibril__wait_ended_early(self);
  return err != 0 ? fibril__error_code(err) : fibril__value_borrow(group->error);
}
