/* For who tests src with calls that fail. A run counts the calls and lets some that
 * follow each other fail. Everything here is process-wide. */
#ifndef FIBRIL_TEST_FAILURE_INJECT_H
#define FIBRIL_TEST_FAILURE_INJECT_H

#include "sites.h"

#include <stdatomic.h>

#define FAILURE_SITES_MAX 512

typedef struct failure_run {
  atomic_bool counting;
  atomic_uint calls;
  unsigned first, last;                  /* the calls that fail, from 1; 0: none does */
  atomic_uint failed[FAILURE_SITES_MAX]; /* how often, of the sites in the order of failure_at */
} failure_run;

/* The run that is on; it may be put into shared memory. */
extern failure_run *failure_current;

void failure_start(unsigned first, unsigned last);
/* Calls in between are neither counted nor made to fail. */
void failure_pause(void);
void failure_resume(void);

/* The sites of the program. */
size_t failure_count(void);
const failure_site *failure_at(size_t index);

/* Whether a call that gives this code was made to fail in this run. */
bool failure_gave(int code);

/* Calls each(site, arg) for every block of memory that a call in src made and that is still there.
 * How many. */
size_t failure_blocks(void (*each)(const failure_site *site, void *arg), void *arg);

#endif /* FIBRIL_TEST_FAILURE_INJECT_H */
