/* What an exported function reads of its arguments. */
#include "arguments.h"

#include <math.h>
#include <string.h>

fibril_value fibril_arg(const fibril_args *args, size_t index) {
  if (index >= args->callee->signature.count) return fibril_undefined();
  return fibril__value_borrow(args->values[index]);
}

bool fibril_arg_given(const fibril_args *args, size_t index) {
  fibril_kind kind = fibril_value_kind(fibril_arg(args, index));
  return kind != FIBRIL_UNDEFINED && kind != FIBRIL_NULL;
}

fibril_value fibril_arg_option(const fibril_args *args, size_t index, const char *name) {
  const fibril__signature *signature = &args->callee->signature;
  if (index >= signature->count) return fibril_undefined();
  const fibril__parameter *outer = &signature->parameters[index];
  if (outer->slot == 0) return fibril_object_get(fibril_arg(args, index), name);
  size_t length = strlen(name);
  for (uint32_t i = 0; i < outer->type.property_count; i++) {
    const fibril__parameter *property = &outer->type.properties[i];
    if (property->name_length == length && memcmp(property->name, name, length) == 0)
      return fibril__value_borrow(args->values[outer->slot + i]);
  }
  return fibril_undefined();
}

const char *fibril_arg_string(const fibril_args *args, size_t index) {
  return fibril_value_string(fibril_arg(args, index), NULL);
}

void *fibril_arg_buffer(const fibril_args *args, size_t index, size_t *length) {
  if (length != NULL) *length = 0;
  return fibril_value_buffer(fibril_arg(args, index), length);
}

double fibril_arg_number(const fibril_args *args, size_t index) {
  if (index >= args->callee->signature.count) return NAN;
  fibril_value value = args->values[index];
  return value.tag == FIBRIL_NUMBER ? value.as.number : fibril_value_number(value);
}

int64_t fibril_arg_integer(const fibril_args *args, size_t index) {
  return fibril_value_integer(fibril_arg(args, index));
}

void *fibril_arg_instance(const fibril_args *args, size_t index) {
  return fibril_value_instance(fibril_arg(args, index), NULL);
}

void *fibril_this(const fibril_args *args) {
  return args->receiver == NULL ? NULL : args->receiver->state;
}

bool fibril_arg_boolean(const fibril_args *args, size_t index) {
  return fibril_value_boolean(fibril_arg(args, index));
}
