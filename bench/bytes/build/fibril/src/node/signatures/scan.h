/* The words of a signature's text. */
#ifndef FIBRIL_NODE_SIGNATURES_SCAN_H
#define FIBRIL_NODE_SIGNATURES_SCAN_H

#include "fibril.h"

/* The reader of a signature's text. What is not as expected is noted once, with the reader at
 * its place. */
typedef struct {
  const char *text, *at, *expected;
  int err;
  unsigned depth;                          /* of types in types */
  const struct fibril__declared *declared; /* the newest of the addon's own types, */
  const char *space;                       /* and where they are looked for first */
} fibril__scan;

bool fibril__scan_fail(fibril__scan *scan, const char *expected);
bool fibril__scan_no_memory(fibril__scan *scan);
bool fibril__scan_peek(fibril__scan *scan, char c);
bool fibril__scan_skip(fibril__scan *scan, char c);
bool fibril__scan_name(fibril__scan *scan, const char *expected, const char **start,
                       size_t *length);
/* The same, or a symbol's: "[Symbol.iterator]". */
bool fibril__scan_member_name(fibril__scan *scan, const char **start, size_t *length);
/* What may follow a name that namespaces are before: ".name", to the end of which *length goes. */
void fibril__scan_dotted(fibril__scan *scan, const char *start, size_t *length);
/* The keyword or nothing. */
bool fibril__scan_word(fibril__scan *scan, const char *word);
/* A string, number, bigint, true, false or null; owned. */
bool fibril__scan_literal(fibril__scan *scan, fibril_value *out);
bool fibril__scan_at_literal(fibril__scan *scan);
/* A leading doc comment, if there is one. */
bool fibril__scan_comment(fibril__scan *scan);
/* A type that is TypeScript's business: its brackets and strings are whole. It ends before what
 * can't belong to it. */
bool fibril__scan_foreign(fibril__scan *scan);
bool fibril__scan_is(const char *start, size_t length, const char *word);
/* Whether a text has the name in it, by itself. */
bool fibril__scan_has_word(const char *text, const char *name, size_t length);

#endif /* FIBRIL_NODE_SIGNATURES_SCAN_H */
