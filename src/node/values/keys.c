#include "keys.h"

#include "references.h"
#include "to_js.h"

/* Strings, too, come as references where everything is taken. Objects are refused: making a key of
 * one would run JavaScript. */
bool fibril__key_is_one(const fibril__env *self, fibril__key key) {
  if (key.name != NULL) return true;
  switch (fibril_value_kind(key.value)) {
    case FIBRIL_STRING:
    case FIBRIL_NUMBER: return true;
    case FIBRIL_REFERENCE: {
      const fibril__reference *reference = fibril__value_box(key.value);
      return reference->wrapped && reference->owner == self;
    }
    default: return false;
  }
}

/* By way of a value: what is too long for V8 is said there. */
napi_value fibril__key_to_js(fibril__env *self, fibril__key key) {
  if (key.name == NULL) return fibril__to_js(self, key.value);
  fibril_value name = fibril_string(key.name, FIBRIL_AUTO_LENGTH);
  napi_value result = fibril__is_error(name) ? NULL : fibril__to_js(self, name);
  fibril_value_free(name);
  return result;
}
