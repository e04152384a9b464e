/* A generator that is driven from the loop's stack, where somebody takes what it yields, now or
 * later; between its yields it may wait. */
#ifndef FIBRIL_CORE_FUTURE_DRIVE_H
#define FIBRIL_CORE_FUTURE_DRIVE_H

#include "generator.h"

#include "../scheduler/wait.h"

typedef struct fibril__drive fibril__drive;

/* Who drives it. */
typedef struct fibril__driver {
  fibril_value (*run)(fibril__drive *drive); /* the generator's function */
  /* Somebody wanted to hear of it that there is an item, or the end; and the end itself. Both may
   * be called on any stack, and only queue. */
  void (*offered)(fibril__drive *drive);
  void (*ended)(fibril__drive *drive);
} fibril__driver;

struct fibril__drive {
  fibril_generator generator; /* what its function yields to */
  const fibril__driver *driver;
  const char *name;
  const bool *over; /* true: nobody asks for values any more */
  int stack_class;
  bool fresh;            /* it has not been started */
  bool wanted;           /* `offered` is to be called */
  bool sync;             /* it may not wait */
  bool thrown;           /* `sent` is for a yield that is still to come */
  fibril__wait *waiting; /* of its coroutine, in a yield */
  fibril_value result;   /* owned: what its function returned, until somebody has read it */
  uint32_t first, count, capacity, ahead;
  fibril_value *items; /* a ring of those that nobody has taken; owned */
};

typedef struct {
  const char *name;
  int stack_class;
  bool sync;
  uint32_t ahead;      /* so many it yields before anybody asks */
  uint32_t capacity;   /* of `items`: at least 1 */
  fibril_value *items; /* uninitialised */
  const bool *over;
} fibril__drive_options;

void fibril__drive_init(fibril__drive *drive, fibril_loop *loop, const fibril__driver *driver,
                        const fibril__drive_options *options);
/* What it still has: it has ended, or never began. */
void fibril__drive_destroy(fibril__drive *drive);

/* On the loop's stack; each runs it up to its next wait. */
int fibril__drive_start(fibril__drive *drive); /* 0, or what fibril__coroutine_prepare says */
void fibril__drive_send(fibril__drive *drive, fibril_value owned); /* of one that is suspended */
/* The yield that waits, or the next one, returns it. */
void fibril__drive_throw(fibril__drive *drive, fibril_value owned);
/* Lets it unwind; its items are dropped. One that has not been started has ended then. */
void fibril__drive_close(fibril__drive *drive);

/* It hears of it, as of any cancellation. */
void fibril__drive_cancel(fibril__drive *drive);
/* It will not be started. */
void fibril__drive_skip(fibril__drive *drive);
void fibril__drive_drop_items(fibril__drive *drive);

/* The result, once: owned. Of a closed one that was cancelled it is undefined. */
fibril_value fibril__drive_take_result(fibril__drive *drive);

static inline bool fibril__drive_is_suspended(const fibril__drive *drive) {
  return drive->waiting != NULL && !drive->waiting->woken;
}

static inline bool fibril__drive_is_running(const fibril__drive *drive) {
  return drive->generator.coroutine != NULL;
}

static inline bool fibril__drive_has_ended(const fibril__drive *drive) {
  return !drive->fresh && drive->generator.coroutine == NULL;
}

static inline bool fibril__drive_is_closing(const fibril__drive *drive) {
  return drive->generator.closing;
}

/* The next item, of which there is one: owned. */
static inline fibril_value fibril__drive_take(fibril__drive *drive) {
  fibril_value item = drive->items[drive->first];
  drive->first = (drive->first + 1) % drive->capacity;
  drive->count--;
  return item;
}

/* After something was taken: has it yield more where it is ahead. Not for each: waking it costs. */
static inline void fibril__drive_refill(fibril__drive *drive) {
  if (drive->ahead > 0 && drive->count <= drive->ahead / 2 && fibril__drive_is_suspended(drive))
    fibril__wake(drive->waiting, 0);
}

/* Tells of an item, or from `ended` of the end, once, if somebody wants to hear of it. */
static inline void fibril__drive_offer(fibril__drive *drive) {
  if (!drive->wanted) return;
  drive->wanted = false;
  drive->driver->offered(drive);
}

/* The next item, or the end, is told of. */
static inline void fibril__drive_want(fibril__drive *drive) {
  drive->wanted = true;
}

#endif /* FIBRIL_CORE_FUTURE_DRIVE_H */
