/* The parser of signatures by itself: thousands of them, without a module's load for each. */
#include "../../src/node/signatures/signature.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
  const char *text;
  fibril__form form;
  const char *expected;
  size_t position;
  int err;
} job;

/* A module's load is on the loop's stack, too. The copy has its exact size, for ASan to see what is
 * read beyond it. */
static void parse(void *data) {
  job *self = data;
  fibril__signature signature;
  char *copy = strdup(self->text);
  if (copy == NULL) abort();
  self->err =
      fibril__signature_parse(copy, self->form, NULL, &signature, &self->expected, &self->position);
  if (self->err == 0) fibril__signature_free(&signature);
  free(copy);
}

static fibril_value check(fibril_args *args) {
  fibril_value texts = fibril_arg(args, 0), results = fibril_array(0);
  for (size_t i = 0; i < fibril_array_length(texts); i++) {
    job self = {.text = fibril_value_string(fibril_array_get(texts, i), NULL),
                .form = (fibril__form)fibril_arg_integer(args, 1)};
    fibril_on_loop(parse, &self);
    fibril_value result = fibril_null();
    if (self.err != 0) {
      result = fibril_object();
      fibril_object_set(result, "expected", fibril_string(self.expected, FIBRIL_AUTO_LENGTH));
      fibril_object_set(result, "position", fibril_number((double)self.position));
    }
    fibril_array_push(results, result);
  }
  return results;
}

FIBRIL_MODULE(m) {
  fibril_export(m,
                "/** What is wrong with each; null for nothing. */\n"
                "check(signatures: string[], form: 0 | 1 | 2 | 3 | 4 | 5 = 0): "
                "Promise<({ expected: string, position: int32 } | null)[]>",
                check);
}
