/* Groups: children that end before their parent goes on. The first error cancels the others. */
#ifndef FIBRIL_CORE_FUTURE_GROUP_H
#define FIBRIL_CORE_FUTURE_GROUP_H

#include "fibril.h"

#include "../value/list.h"

/* A loop's whose children are to be cancelled; the first one's are. */
typedef struct fibril__groups {
  FIBRIL__FIFO(fibril_group) cancelling;
} fibril__groups;

void fibril__groups_init(fibril_loop *loop);
/* Ends one of the running coroutine's before that ends: what it has given is gone. Of one that was
 * made in a call, and what was deferred since is done. */
void fibril__group_end(fibril_group *group);

#endif /* FIBRIL_CORE_FUTURE_GROUP_H */
