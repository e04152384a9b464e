/* Values of every owner, for owners_test.c to let them leave. */
#ifndef FIBRIL_TEST_OWNERS_H
#define FIBRIL_TEST_OWNERS_H

#include <fibril.h>

/* Whoever owns what `make` gives, beside who called it. */
typedef struct {
  fibril_loop *loop;
  fibril_future *future;
  fibril_event over; /* another coroutine goes on until then */
  fibril_channel *channel;
  fibril_generator *generator;
  fibril_value kept, lent;
} owner_scene;

typedef struct {
  const char *name;
  fibril_value (*make)(owner_scene *scene);
} value_owner;

extern const value_owner value_owners[];
extern const size_t value_owner_count;

/* A buffer that is counted while it lives. */
extern int live_payloads;
fibril_value make_payload(void);

/* Whether it is, whole, what value_owners make. */
bool is_whole(fibril_value value);
/* Whether what is left with its owner is whole, if that is somebody else. */
bool is_whole_at_owner(const owner_scene *scene);
/* Lets all owners go: a fibril_defer, as by then the coroutine has returned the value. */
void drop_owners(void *scene);

#endif /* FIBRIL_TEST_OWNERS_H */
