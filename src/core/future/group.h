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

#endif /* FIBRIL_CORE_FUTURE_GROUP_H */
