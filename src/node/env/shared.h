/* What the runtime's JavaScript and C both know, written here alone: gyp/js2c.js reads this file,
 * and each FIBRIL__NAME of an enum is the const NAME in src/node/runtime. */
#ifndef FIBRIL_NODE_ENV_SHARED_H
#define FIBRIL_NODE_ENV_SHARED_H

/* What became of a call, or of a slot in a batch. */
enum {
  FIBRIL__CALL_PENDING,
  FIBRIL__CALL_UNDEFINED,
  FIBRIL__CALL_NUMBER,
  FIBRIL__CALL_VALUE,
  FIBRIL__CALL_ERROR, /* a description, from which JavaScript makes the Error */
  FIBRIL__CALL_THROWN /* a JavaScript value as it was thrown */
};

/* The words of `status`; reading them in JavaScript costs no call. C writes them last before it
 * returns, and JavaScript reads them first after that, with `immediate`: whatever runs in between,
 * a hook of async_hooks for instance, may be another call. */
enum {
  FIBRIL__STATUS_RESULT,  /* of the last call */
  FIBRIL__STATUS_TURN,    /* something is ready that need not wait for the next poll */
  FIBRIL__STATUS_SLOT,    /* set by JavaScript before a call: its slot */
  FIBRIL__STATUS_REQUEST, /* set by JavaScript: what it wants of an iterator */
  FIBRIL__STATUS_DONE,    /* of the item that it got */
  FIBRIL__STATUS_WORDS
};

/* What JavaScript asks of an iterator. */
enum { FIBRIL__REQUEST_NEXT, FIBRIL__REQUEST_THROW, FIBRIL__REQUEST_RETURN, FIBRIL__REQUEST_ABORT };

/* What is wrong with an argument: its type, a number's range, or its value. */
enum { FIBRIL__WRONG_TYPE, FIBRIL__WRONG_RANGE, FIBRIL__WRONG_VALUE };

/* The runtime's functions that C calls: X(name in C, name in JavaScript). */
#define FIBRIL__RUNTIME_FUNCTIONS(X)          \
  X(BIND, bind)                               \
  X(ARRAY, arrayOf)                           \
  X(JOIN, join)                               \
  X(MAP_OF, mapOf)                            \
  X(SET_OF, setOf)                            \
  X(MAP_ITEMS, mapItems)                      \
  X(SET_ITEMS, setItems)                      \
  X(OBJECT_ITEMS, objectItems)                \
  X(OBJECT_MAKER, objectMaker)                \
  X(NESTED_ERROR, nestedError)                \
  X(PATH, toPath)                             \
  X(BAD_ARGUMENT, badArgument)                \
  X(FLOAT16_ARRAY, float16Array)              \
  X(WRAP, wrap)                               \
  X(EXPORT_NOW, exportNow)                    \
  X(ERROR_NOW, errorNow)                      \
  X(DRAIN_SOON, drainSoon)                    \
  X(SETTLE, settle)                           \
  X(INVOKE, invoke)                           \
  X(INVOKE_METHOD, invokeMethod)              \
  X(FORGET, forget)                           \
  X(LATER, later)                             \
  X(WRAP_GENERATOR, wrapGenerator)            \
  X(WRAP_ASYNC_GENERATOR, wrapAsyncGenerator) \
  X(EXPORTS_OF_DEFAULT, exportsOfDefault)     \
  X(CREATE_ERROR_CLASS, createErrorClass)     \
  X(STRING_FAILURE, stringFailure)            \
  X(KEY_OF, keyOf)                            \
  X(CREATE_CLASS, createClass)                \
  X(ADOPT, adopt)                             \
  X(ADD_METHOD, addMethod)                    \
  X(ADD_METHOD_NOW, addMethodNow)             \
  X(ADD_GETTER, addGetter)                    \
  X(ADD_SETTER, addSetter)                    \
  X(ADD_ALIAS, addAlias)                      \
  X(PUBLISH, publish)                         \
  X(SET_MEMBER, setMember)                    \
  X(DELETE_MEMBER, deleteMember)              \
  X(KEYS, keysOf)                             \
  X(SYMBOL_FOR, symbolFor)

#define FIBRIL__JS_NAME(name, js) FIBRIL__JS_##name,
typedef enum {
  FIBRIL__RUNTIME_FUNCTIONS(FIBRIL__JS_NAME) FIBRIL__JS_FUNCTIONS
} fibril__js_function;

#endif /* FIBRIL_NODE_ENV_SHARED_H */
