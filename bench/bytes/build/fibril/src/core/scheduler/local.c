#include "local.h"

#include <stdlib.h>

struct fibril__local {
  struct fibril__local *next;
  const void *key;
  void *value;
  void (*release)(void *value);
};

struct fibril__deferred {
  struct fibril__deferred *next;
  void (*release)(void *arg);
  void *arg;
};

static void run_deferred(fibril_coroutine *self) {
  struct fibril__deferred *deferred = self->deferred;
  self->deferred = deferred->next;
  deferred->release(deferred->arg);
  free(deferred);
}

static void release_local(fibril_coroutine *self) {
  struct fibril__local *local = self->locals;
  self->locals = local->next;
  if (local->release != NULL) local->release(local->value);
  free(local);
}

/* Either kind of function may ask for more of both. */
void fibril__locals_release(fibril_coroutine *self) {
  while (self->deferred != NULL || self->locals != NULL) {
    if (self->deferred != NULL)
      run_deferred(self);
    else
      release_local(self);
  }
}

const char *fibril_name(void) {
  fibril_coroutine *self = fibril__self();
  return self == NULL ? "" : fibril__name(self);
}

void fibril_set_name(const char *name) {
  fibril_coroutine *self = fibril__self();
  if (self != NULL) fibril__stack_set_name(self->stack, name);
}

int fibril_defer(void (*release)(void *arg), void *arg) {
  fibril_coroutine *self = fibril__self();
  if (self == NULL) return FIBRIL_ENOTCOROUTINE;
  struct fibril__deferred *deferred = malloc(sizeof *deferred);
  if (deferred == NULL) return UV_ENOMEM;
  *deferred = (struct fibril__deferred){self->deferred, release, arg};
  self->deferred = deferred;
  self->encumbered = true;
  return 0;
}

void fibril__defer_now(void (*release)(void *arg), void *arg) {
  fibril_coroutine *self = fibril__self();
  struct fibril__deferred *last = self->deferred;
  if (last != NULL && last->release == release && last->arg == arg) run_deferred(self);
}

static struct fibril__local *find_local(const fibril_coroutine *self, const void *key) {
  struct fibril__local *local = self->locals;
  while (local != NULL && local->key != key) local = local->next;
  return local;
}

int fibril_local_set(const void *key, void *value, void (*release)(void *value)) {
  fibril_coroutine *self = fibril__self();
  if (self == NULL) return FIBRIL_ENOTCOROUTINE;
  struct fibril__local *local = find_local(self, key);
  if (local != NULL) {
    void (*old_release)(void *) = local->release;
    void *old = local->value;
    local->value = value;
    local->release = release;
    if (old_release != NULL) old_release(old);
    return 0;
  }
  void **slot = fibril__local_slot(self, key, release);
  if (slot == NULL) return UV_ENOMEM;
  *slot = value;
  return 0;
}

/* `local` is memory that is not used yet, or NULL, where there is none. */
static void **add_local(fibril_coroutine *self, struct fibril__local *local, const void *key,
                        void (*release)(void *value)) {
  if (local == NULL) return NULL;
  *local = (struct fibril__local){self->locals, key, NULL, release};
  self->locals = local;
  self->encumbered = true;
  return &local->value;
}

void **fibril__local_slot(fibril_coroutine *self, const void *key, void (*release)(void *value)) {
  struct fibril__local *local = find_local(self, key);
  return local != NULL ? &local->value : add_local(self, malloc(sizeof *local), key, release);
}

void *fibril_local_get(const void *key) {
  fibril_coroutine *self = fibril__self();
  struct fibril__local *local = self == NULL ? NULL : find_local(self, key);
  return local == NULL ? NULL : local->value;
}

/* ---- Names of waits ---- */

/* Known to debuggers, which look for it, too. */
static const char fibril__within_key;

/* Without memory reports say what they would say without it. */
bool fibril__within_begin(const char *name) {
  fibril_coroutine *self = fibril__self();
  if (name == NULL || self == NULL) return false;
  struct fibril__local *local = find_local(self, &fibril__within_key);
  void **slot = local != NULL ? &local->value
                              : add_local(self, malloc(sizeof *local), &fibril__within_key, NULL);
  if (slot == NULL || *slot != NULL) return false;
  *slot = (void *)(uintptr_t)name;
  return true;
}

void fibril__within_end(void) {
  struct fibril__local *local = find_local(fibril__self(), &fibril__within_key);
  if (local != NULL) local->value = NULL;
}

const char *fibril__within(const fibril_coroutine *coroutine) {
  const struct fibril__local *local = find_local(coroutine, &fibril__within_key);
  return local == NULL ? NULL : local->value;
}
