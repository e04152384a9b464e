#include "deadlock.h"

#include "../value/error.h"
#include "crowd.h"
#include "wait.h"

#include <stdio.h>

/* A sentence names so many of them; a circle is seldom longer. */
#define LINKS_MAX 8

typedef struct {
  const fibril_coroutine *stuck;
  bool others; /* that may still end, or wake somebody */
} survey;

/* What goes on, and for whom: a mutex, which nothing but its owner can give. Children are looked at
 * themselves. */
static void survey_one(fibril_coroutine *coroutine, void *arg) {
  survey *found = arg;
  if (fibril__is_called(coroutine)) return; /* its root is who called it last */
  const fibril__wait *wait = coroutine->wait;
  bool waits = wait != NULL && !wait->woken && wait->kind->blocker != NULL;
  if (waits && wait->cancel == NULL)
    found->stuck = coroutine;
  else if (!waits || !wait->kind->stubborn)
    found->others = true;
}

/* Of one without a name, where its function is: a debugger knows that. */
typedef struct {
  char text[64];
} title;

static title title_of(const fibril_coroutine *coroutine) {
  title made;
  if (fibril__name(coroutine)[0] != '\0')
    snprintf(made.text, sizeof made.text, "\"%.50s\"", fibril__name(coroutine));
  else
    snprintf(made.text, sizeof made.text, "at %p (unnamed)", (void *)(uintptr_t)coroutine->fn);
  return made;
}

/* Writes whom a coroutine waits for; that one, or NULL when it has ended. */
static const fibril_coroutine *describe_block(const fibril_coroutine *coroutine, char *text,
                                              size_t size) {
  const fibril__wait *wait = coroutine->wait;
  title self = title_of(coroutine);
  if (wait == NULL) {
    snprintf(text, size, "generator %s is suspended", self.text);
    return NULL;
  }
  const fibril_coroutine *whom = wait->kind->blocker(wait);
  if (whom == NULL)
    snprintf(text, size, "coroutine %s waits for %s", self.text, wait->kind->orphaned);
  else
    snprintf(text, size, "coroutine %s waits for %s %s %s", self.text, wait->kind->blocked[0],
             title_of(whom).text, wait->kind->blocked[1]);
  return whom;
}

const fibril_coroutine *fibril__deadlock_find(fibril_loop *loop) {
  survey found = {NULL, false};
  fibril__coroutines_each(loop, survey_one, &found);
  return found.others ? NULL : found.stuck;
}

void fibril__deadlock_die(const fibril_coroutine *stuck) {
  char text[1024] = "";
  size_t length = 0;
  const fibril_coroutine *one = stuck;
  for (int links = 0; one != NULL && links < LINKS_MAX && length < sizeof text - 1; links++) {
    if (links > 0 && one == stuck) break;
    if (links > 0) length += (size_t)snprintf(text + length, sizeof text - length, "; ");
    one = describe_block(one, text + length, sizeof text - length);
    while (text[length] != '\0') length++;
  }
  fibril__fatal("the loop can't be closed: %s", text);
}
