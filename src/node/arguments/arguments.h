/* Arguments: decoded by the signature before the coroutine starts. */
#ifndef FIBRIL_NODE_ARGUMENTS_ARGUMENTS_H
#define FIBRIL_NODE_ARGUMENTS_ARGUMENTS_H

#include "../exports/export.h"
#include "../values/instances.h"

/* Bytes that are to be copied before the function begins; see later.h. */
typedef struct fibril__later fibril__later;

/* A parameter's value is at its index; an object's properties are behind all parameters. */
struct fibril_args {
  const fibril__export *callee;
  fibril_value *values;
  fibril__instance *receiver; /* of a method; counted, as long as the values are there */
  bool may_wait;              /* before the function begins: then large bytes are copied later, */
  fibril__later *later;       /* these */
  size_t copied;              /* bytes, at once */
};

/* What a call gives as JavaScript's values: one for each parameter, and of a synchronous function
 * that has one the rest, as they came. Others' rest is an array, in its parameter's place. */
typedef struct fibril__given {
  const napi_value *argv;
  const napi_value *rest; /* NULL: there is none */
  size_t rest_count;
  napi_value *own; /* where they are, when they are many */
} fibril__given;

static inline fibril_args fibril__args_of(const fibril__export *callee, fibril_value *values,
                                          fibril__instance *receiver) {
  return (fibril_args){
      .callee = callee, .values = values, .receiver = fibril__instance_ref(receiver)};
}

/* What a constructor makes is there only after its arguments. */
static inline void fibril__args_set_receiver(fibril_args *args, fibril__instance *receiver) {
  args->receiver = fibril__instance_ref(receiver);
}

/* What a synchronous function is given, of all `argc`, of which the first are in `argv`. False: an
 * exception is pending. */
bool fibril__args_gather(const fibril__export *callee, napi_callback_info info, size_t argc,
                         const napi_value *argv, fibril__given *given);

/* Decodes into args->values, all of which are owned. FIBRIL__CALL_PENDING, or of what kind *error
 * is, to reject with, and nothing is left to free. */
int fibril__args_decode(fibril_args *args, const fibril__given *given, napi_value *error);
void fibril__args_drop(fibril_args *args);

static inline void fibril__args_free(fibril_args *args) {
  if (!args->callee->light) fibril__args_drop(args);
}

/* The commonest types need one Node-API call each. False: fibril__args_decode has to look at them.
 */
static inline bool fibril__args_decode_numbers(fibril_args *args, const napi_value *argv) {
  const fibril__signature *signature = &args->callee->signature;
  napi_env env = args->callee->env->env;
  if (!signature->numbers) return false;
  for (uint32_t i = 0; i < signature->count; i++) {
    double number;
    if (napi_get_value_double(env, argv[i], &number) != napi_ok) return false;
    args->values[i] = fibril_number(number);
  }
  return true;
}

#endif /* FIBRIL_NODE_ARGUMENTS_ARGUMENTS_H */
