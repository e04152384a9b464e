/* Lists whose links are in the items themselves. Macros, so that each list keeps the type of its
 * items, for the compiler and for debuggers; an item has at most one place in a list of each form.
 *
 *   list   owner {first, last}    item {next, prev}    adds at the end, takes off anywhere
 *   chain  owner: the first one   item {next, link}    adds in front, takes off without the owner
 *   fifo   owner {first, tail}    item {next}          adds at the end, takes the first one
 */
#ifndef FIBRIL_CORE_VALUE_LIST_H
#define FIBRIL_CORE_VALUE_LIST_H

#include <stddef.h>

/* ---- Lists ---- */

#define FIBRIL__LIST_ADD(list, item)                                         \
  do {                                                                       \
    (item)->next = NULL;                                                     \
    (item)->prev = (list)->last;                                             \
    *((list)->last == NULL ? &(list)->first : &(list)->last->next) = (item); \
    (list)->last = (item);                                                   \
  } while (0)

/* The item's own links stay as they are: who goes through the list may still follow them. */
#define FIBRIL__LIST_REMOVE(list, item)                                            \
  do {                                                                             \
    *((item)->prev == NULL ? &(list)->first : &(item)->prev->next) = (item)->next; \
    *((item)->next == NULL ? &(list)->last : &(item)->next->prev) = (item)->prev;  \
  } while (0)

/* ---- Chains ---- */

/* `head` is where the pointer to the first one is. */
#define FIBRIL__CHAIN_ADD(head, item)                             \
  do {                                                            \
    (item)->next = *(head);                                       \
    (item)->link = (head);                                        \
    if ((item)->next != NULL) (item)->next->link = &(item)->next; \
    *(head) = (item);                                             \
  } while (0)

#define FIBRIL__CHAIN_REMOVE(item)                               \
  do {                                                           \
    *(item)->link = (item)->next;                                \
    if ((item)->next != NULL) (item)->next->link = (item)->link; \
  } while (0)

/* ---- First in, first out ---- */

#define FIBRIL__FIFO(type) \
  struct {                 \
    type *first, **tail;   \
  }

#define FIBRIL__FIFO_INIT(fifo)    \
  do {                             \
    (fifo)->first = NULL;          \
    (fifo)->tail = &(fifo)->first; \
  } while (0)

#define FIBRIL__FIFO_ADD(fifo, item) \
  do {                               \
    (item)->next = NULL;             \
    *(fifo)->tail = (item);          \
    (fifo)->tail = &(item)->next;    \
  } while (0)

/* Of one that has a first item. */
#define FIBRIL__FIFO_DROP_FIRST(fifo)                         \
  do {                                                        \
    (fifo)->first = (fifo)->first->next;                      \
    if ((fifo)->first == NULL) (fifo)->tail = &(fifo)->first; \
  } while (0)

/* Puts all of `from`, which is empty then, behind what is in `to`. */
#define FIBRIL__FIFO_APPEND(to, from) \
  do {                                \
    if ((from)->first != NULL) {      \
      *(to)->tail = (from)->first;    \
      (to)->tail = (from)->tail;      \
      FIBRIL__FIFO_INIT(from);        \
    }                                 \
  } while (0)

#endif /* FIBRIL_CORE_VALUE_LIST_H */
