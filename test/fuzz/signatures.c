/* The parser of signatures, of all forms, under libFuzzer: what it takes is whole, and what it
 * refuses has a place in the text. A form's number comes first. */
#include "../../src/node/signatures/signature.h"

#include <stdlib.h>
#include <string.h>

#define FORMS 16 /* a power of two, so that '0' is the first one */

static void require(bool holds) {
  if (!holds) abort();
}

static void check_signature(const fibril__signature *signature) {
  require(signature->count <= FIBRIL__PARAMETERS_MAX);
  uint32_t properties = 0;
  for (uint32_t i = 0; i < signature->count; i++) {
    const fibril__parameter *parameter = &signature->parameters[i];
    require(parameter->name >= signature->source &&
            parameter->name + parameter->name_length <=
                signature->source + strlen(signature->source));
    require(!parameter->has_default || parameter->optional);
    if (parameter->slot == 0) continue;
    require(parameter->slot == signature->count + properties);
    properties += parameter->type.property_count;
  }
  require(properties == signature->property_count && properties <= FIBRIL__OPTIONS_MAX);
  const fibril__parameter *key;
  require(fibril__signature_signal(signature, &key) < (int)signature->count);
}

/* Parsed again it is the same. */
static void check_again(const fibril__signature *signature, fibril__form form) {
  fibril__signature other;
  const char *expected;
  size_t position;
  require(fibril__signature_parse(signature->source, form, NULL, &other, &expected, &position) ==
          0);
  require(other.count == signature->count && other.property_count == signature->property_count &&
          other.numbers == signature->numbers && other.plain == signature->plain &&
          other.rest == signature->rest);
  fibril__signature_free(&other);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size == 0) return 0;
  fibril__form form = (fibril__form)(data[0] % FORMS);
  if (form > FIBRIL__FORM_ERROR) return 0;
  char *text = malloc(size);
  if (text == NULL) return 0;
  memcpy(text, data + 1, size - 1);
  text[size - 1] = '\0';
  fibril__signature signature;
  const char *expected = NULL;
  size_t position = 0;
  int err = fibril__signature_parse(text, form, NULL, &signature, &expected, &position);
  if (err == 0) {
    check_signature(&signature);
    check_again(&signature, form);
    fibril__signature_free(&signature);
  } else {
    require(err == UV_EINVAL && expected != NULL && position <= strlen(text));
  }
  free(text);
  return 0;
}
