/* One wait of every kind, as a table. */
#ifndef FIBRIL_TEST_EVERY_WAIT_H
#define FIBRIL_TEST_EVERY_WAIT_H

#include <fibril.h>

#include <stdatomic.h>

/* What they need. It outlives the call where helpers can't be waited for. */
typedef struct {
  int fd; /* that never becomes readable */
  fibril_mutex mutex;
  fibril_channel *channel; /* of capacity 0 */
  bool childless;          /* no child of a group can be waited for here */
} wait_scene;

/* Waits for what never comes; how that ended. */
typedef struct {
  const char *name;
  int (*run)(wait_scene *scene);
} every_wait;

extern const every_wait every_waits[];
extern const size_t every_wait_count;

/* While it is more than 0 the system has no room for datagrams: on loopback it always would. */
extern atomic_int every_wait_full;

#endif /* FIBRIL_TEST_EVERY_WAIT_H */
